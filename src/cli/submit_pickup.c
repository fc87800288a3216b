/* submit_pickup.c: a message into the pickup folder: written whole under another name, synced, then
 * renamed, and the folder synced, so that the server sees it whole or not at all. */
#include "cli/submit.h"
#include "control/pickup_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        bytes = str_tail(bytes, (size_t)n);
    }
    return true;
}

static bool make_folders(char *path)
{
    for (char *p = path + 1; *p; p++) {
        if (*p == '/') {
            *p = '\0';
            bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
            *p = '/';
            if (!made) {
                return false;
            }
        }
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static int sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 || fsync(fd) != 0 ? -errno : 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return error;
}

/* What root leaves must be readable for the server, whose folder it is. */
static bool give_to_server(int fd, const char *folder)
{
    struct stat st;
    return geteuid() != 0 || (stat(folder, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) == 0);
}

static bool write_file(const char *folder, const char *path, struct str head, struct str message)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return false;
    }
    bool fine = give_to_server(fd, folder) && write_all(fd, head) && write_all(fd, message) &&
                fsync(fd) == 0;
    int error = errno;
    fine = close(fd) == 0 && fine;
    errno = error;
    return fine;
}

static int leave(struct str folder, struct str head, const struct submission *s, int64_t now_us)
{
    struct arena *a = s->arena;
    long pid = (long)getpid();
    struct str from = arena_format(a, "%.*s/.%lld.%ld", STR_ARG(folder), (long long)now_us, pid);
    struct str to = arena_format(a, "%.*s/%lld.%ld.mail", STR_ARG(folder), (long long)now_us, pid);
    if (!from.ptr || !to.ptr) {
        return -ENOMEM;
    }
    if (!write_file(folder.ptr, from.ptr, head, s->message) || rename(from.ptr, to.ptr) != 0) {
        int error = errno;
        (void)unlink(from.ptr);
        return error > 0 ? -error : -EIO;
    }
    return sync_folder(folder.ptr);
}

static bool fill_envelope(const struct submission *s, struct envelope *e)
{
    e->rcpts = arena_array(s->arena, s->rcpt_count, sizeof *e->rcpts);
    for (size_t i = 0; e->rcpts && i < s->rcpt_count; i++) {
        e->rcpts[i] = (struct envelope_rcpt){.address = s->rcpts[i].address,
                                             .orcpt = s->rcpts[i].orcpt,
                                             .notify = s->rcpts[i].notify};
    }
    return e->rcpts != NULL;
}

int submit_pickup(const struct submission *s, struct instant now, struct str user)
{
    struct envelope e = {.reverse_path = s->sender,
                         .envid = s->envid,
                         .ret = s->ret,
                         .body = s->eight_bit ? BODY_8BITMIME : BODY_7BIT,
                         .smtputf8 = s->smtputf8,
                         .submitted = true,
                         .body_size = s->message.len,
                         .arrived = now,
                         .helo = s->helo,
                         .protocol = STR("local"),
                         .user = user,
                         .rcpt_count = s->rcpt_count};
    struct buf head = {0};
    struct str folder = arena_format(s->arena, "%.*s/pickup", STR_ARG(s->config->spool_path));
    int error = -ENOMEM;
    if (folder.ptr && fill_envelope(s, &e)) {
        pickup_format_head(&head, &e);
        char *path = realpath(folder.ptr, NULL);
        bool there = path != NULL || make_folders((char *)(uintptr_t)folder.ptr);
        free(path);
        error = head.failed ? -ENOMEM : there ? leave(folder, buf_str(&head), s, now.us) : -errno;
        error = !head.failed && head.len > PICKUP_HEAD_MAX ? -E2BIG : error;
    }
    buf_done(&head);
    return error;
}
