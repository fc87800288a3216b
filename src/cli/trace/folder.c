#include "cli/trace/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct listing {
    struct source *source;
    size_t cap;
    int error;
};

static void add(struct listing *l, const char *folder, const char *name)
{
    struct source *s = l->source;
    if (s->file_count == l->cap) {
        size_t cap = l->cap > 0 ? l->cap * 2 : 64;
        char **grown = reallocarray(s->files, cap, sizeof *grown);
        if (!grown) {
            l->error = -ENOMEM;
            return;
        }
        s->files = grown;
        l->cap = cap;
    }
    struct str path = arena_format(&s->names, "%s/%s", folder, name);
    if (!path.ptr) {
        l->error = -ENOMEM;
        return;
    }
    s->files[s->file_count++] = (char *)(uintptr_t)path.ptr;
}

static bool list(struct listing *l, const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        return false;
    }
    for (const struct dirent *entry; l->error == 0 && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.' && entry->d_type != DT_DIR) {
            add(l, folder, entry->d_name);
        }
    }
    (void)closedir(dir);
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int folder_list(struct source *s)
{
    struct listing l = {.source = s};
    struct str cur = arena_format(&s->names, "%s/cur", s->path);
    struct str new = arena_format(&s->names, "%s/new", s->path);
    /* A list there must be: that of an empty folder is empty. */
    s->files = calloc(1, sizeof *s->files);
    if (!cur.ptr || !new.ptr || !s->files) {
        return -ENOMEM;
    }
    l.cap = 1;
    bool maildir = list(&l, cur.ptr);
    maildir = list(&l, new.ptr) || maildir;
    if (!maildir && !list(&l, s->path)) {
        return -errno;
    }
    qsort(s->files, s->file_count, sizeof *s->files, by_name);
    return l.error;
}
