#include "login/secret.h"

#include "world/whole_file.h"

#include <errno.h>
#include <gsasl.h>
#include <string.h>

/* Two processes that make it at once (an old worker and a new one) must end with the same. */
static int make(const char *path)
{
    char fresh[sizeof(struct login_secret)];
    struct file_stamp stamp;
    int lock = whole_file_lock(path); /* and makes it, empty */
    int error = lock < 0 ? lock : file_stamp_of(path, &stamp);
    if (error == 0 && stamp.size != sizeof fresh) {
        error = gsasl_random(fresh, sizeof fresh) == GSASL_OK
                    ? whole_file_replace(path, (struct str){fresh, sizeof fresh})
                    : -EIO;
        explicit_bzero(fresh, sizeof fresh);
    }
    if (lock >= 0) {
        whole_file_unlock(lock);
    }
    return error;
}

int login_secret_get(struct str folder, struct login_secret *secret)
{
    struct buf path = {0}, bytes = {0};
    struct file_stamp stamp;
    buf_add_format(&path, "%.*s/login-secret", STR_ARG(folder));
    buf_add_char(&path, '\0');
    int error = path.failed ? -ENOMEM : whole_file_read(path.ptr, &bytes, &stamp);
    if (error == -ENOENT || (error == 0 && bytes.len != sizeof *secret)) {
        buf_clear(&bytes);
        error = make(path.ptr);
        error = error ? error : whole_file_read(path.ptr, &bytes, &stamp);
    }
    if (error == 0 && bytes.len == sizeof *secret) {
        memcpy(secret, bytes.ptr, sizeof *secret);
    } else if (error == 0) {
        error = -EIO;
    }
    buf_done(&path);
    buf_done(&bytes);
    return error;
}
