#include "stores/user_file.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "world/whole_file.h"

struct user_file {
    pthread_mutex_t lock;
    char *path;
    struct file_stamp stamp;
    struct buf text;
};

struct user_file *user_file_new(struct str path)
{
    struct user_file *file = calloc(1, sizeof *file);
    char *copy = file ? strndup(path.ptr, path.len) : NULL;
    if (!copy) {
        free(file);
        return NULL;
    }
    file->path = copy;
    pthread_mutex_init(&file->lock, NULL);
    return file;
}

void user_file_free(struct user_file *file)
{
    if (file) {
        pthread_mutex_destroy(&file->lock);
        buf_done(&file->text);
        free(file->path);
        free(file);
    }
}

/* The next user of the file; false at its end. */
static bool next_user(struct str *text, struct str *name, struct str *fields, struct str *line)
{
    while (text->len > 0) {
        *line = str_split(text, '\n');
        struct str rest = str_trim(*line);
        if (rest.len > 0 && rest.ptr[0] != '#') {
            *name = str_split(&rest, ' ');
            *fields = str_trim(rest);
            return true;
        }
    }
    return false;
}

static bool find(struct str text, struct str wanted, struct str *fields)
{
    struct str name, line;
    while (next_user(&text, &name, fields, &line)) {
        if (str_eq_nocase(name, wanted)) {
            return true;
        }
    }
    return false;
}

static int refresh(struct user_file *file)
{
    struct file_stamp now;
    int error = file_stamp_of(file->path, &now);
    if (error == -ENOENT) {
        file->stamp = (struct file_stamp){0};
        buf_clear(&file->text);
        return 0;
    }
    if (error || memcmp(&now, &file->stamp, sizeof now) == 0) {
        return error;
    }
    struct buf fresh = {0};
    error = whole_file_read(file->path, &fresh, &now);
    if (error) {
        buf_done(&fresh);
        return error;
    }
    buf_done(&file->text);
    file->text = fresh;
    file->stamp = now;
    return 0;
}

int user_file_find(struct user_file *file, struct str name, struct buf *line)
{
    pthread_mutex_lock(&file->lock);
    struct str fields;
    int error = refresh(file);
    if (!error && find(buf_str(&file->text), name, &fields)) {
        buf_add(line, fields);
        error = line->failed ? -ENOMEM : 0;
    } else if (!error) {
        error = -ENOENT;
    }
    pthread_mutex_unlock(&file->lock);
    return error;
}

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if ((unsigned char)name.ptr[i] <= ' ' || name.ptr[i] == 0x7f) {
            return false;
        }
    }
    return name.len > 0 && name.len <= 255 && name.ptr[0] != '#';
}

static void add_user(struct buf *out, struct str name, struct str fields)
{
    buf_add(out, name);
    buf_add_char(out, ' ');
    buf_add(out, fields);
    buf_add_char(out, '\n');
}

static void rewrite(struct buf *out, struct str text, struct str name, struct str replacement)
{
    while (text.len > 0) {
        struct str line = str_split(&text, '\n');
        struct str rest = str_trim(line);
        if (!str_eq_nocase(str_split(&rest, ' '), name)) {
            buf_add(out, line);
            buf_add_char(out, '\n');
        } else if (replacement.len > 0) {
            add_user(out, name, replacement);
        }
    }
}

static int changed(struct buf *out, struct str text, enum user_change change, struct str name,
                   struct str fields)
{
    struct str old;
    bool there = find(text, name, &old);
    if (there && change == USER_ADD) {
        return -EEXIST;
    }
    if (!there && change != USER_ADD) {
        return -ENOENT;
    }
    rewrite(out, text, name, change == USER_REPLACE ? fields : STR(""));
    if (change == USER_ADD) {
        add_user(out, name, fields);
    }
    return out->failed ? -ENOMEM : 0;
}

int user_file_change(const char *path, enum user_change change, struct str name, struct str fields)
{
    struct buf old = {0}, fresh = {0};
    struct file_stamp stamp;
    if (!is_name(name)) {
        return -EINVAL;
    }
    int lock = whole_file_lock(path);
    if (lock < 0) {
        return lock;
    }
    int error = whole_file_read(path, &old, &stamp);
    if (!error) {
        error = changed(&fresh, buf_str(&old), change, name, fields);
    }
    if (!error) {
        error = whole_file_replace(path, buf_str(&fresh));
    }
    whole_file_unlock(lock);
    buf_done(&old);
    buf_done(&fresh);
    return error;
}

int user_file_each(const char *path, void (*each)(struct str name, void *owner), void *owner)
{
    struct buf text = {0};
    struct file_stamp stamp;
    int error = whole_file_read(path, &text, &stamp);
    if (error == -ENOENT) {
        error = 0;
    }
    struct str rest = buf_str(&text), name, fields, line;
    while (!error && next_user(&rest, &name, &fields, &line)) {
        each(name, owner);
    }
    buf_done(&text);
    return error;
}
