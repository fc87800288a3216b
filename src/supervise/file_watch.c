#include "supervise/file_watch.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { LINKS_MAX = 8 };

struct watched_file {
    const char *path;
    struct file_stamp known; /* told, or there from the beginning */
    struct file_stamp seen;  /* when last looked at */
};

static struct file_stamp stamp_of(const char *path)
{
    struct file_stamp stamp;
    if (file_stamp_of(path, &stamp) != 0) {
        stamp = (struct file_stamp){0};
    }
    return stamp;
}

static bool same(const struct file_stamp *a, const struct file_stamp *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* What the link at `path` leads to takes its place. False: it is none. */
static bool follow(char path[PATH_MAX], const char *slash)
{
    char target[PATH_MAX], whole[PATH_MAX];
    ssize_t len = readlink(path, target, sizeof target - 1);
    if (len <= 0) {
        return false;
    }
    target[len] = '\0';
    int folder = target[0] == '/' ? 0 : (int)(slash + 1 - path);
    int size = snprintf(whole, sizeof whole, "%.*s%s", folder, path, target);
    if (size < 0 || (size_t)size >= sizeof whole) {
        return false;
    }
    memcpy(path, whole, (size_t)size + 1);
    return true;
}

/* The folders of the file and of each link on the way to it. One that cannot be watched is seen to
 * by the look of every minute. */
static void watch_way(int reports, const char *file)
{
    static const uint32_t changes = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                    IN_DELETE | IN_ATTRIB | IN_ONLYDIR;
    char path[PATH_MAX], folder[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", file);
    for (int i = 0; i < LINKS_MAX; i++) {
        const char *slash = strrchr(path, '/');
        if (!slash) {
            return;
        }
        (void)snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path),
                       path);
        (void)inotify_add_watch(reports, folder, changes);
        if (!follow(path, slash)) {
            return;
        }
    }
}

/* Anew each time: where links lead may have changed. */
static void watch_all(struct file_watch *w)
{
    if (w->reports > 0) {
        close(w->reports);
    }
    w->reports = w->count > 0 ? inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1;
    for (size_t i = 0; i < w->count && w->reports >= 0; i++) {
        watch_way(w->reports, w->files[i].path);
    }
}

bool file_watch_set(struct file_watch *watch, const struct str *paths, size_t count, int64_t now_us)
{
    file_watch_done(watch);
    watch->files = arena_array(&watch->arena, count + 1, sizeof *watch->files);
    if (!watch->files) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct str path = arena_copy(&watch->arena, paths[i]);
        if (!path.ptr) {
            file_watch_done(watch);
            return false;
        }
        watch->files[i].path = path.ptr;
        watch->files[i].known = watch->files[i].seen = stamp_of(path.ptr);
    }
    watch->count = count;
    watch->look_at_us = count > 0 ? now_us + WATCH_PERIOD_MS * INT64_C(1000) : 0;
    watch_all(watch);
    return true;
}

void file_watch_reported(struct file_watch *watch, int64_t now_us)
{
    char events[4096];
    while (read(watch->reports, events, sizeof events) > 0) {}
    int64_t soon = now_us + WATCH_SETTLE_MS * INT64_C(1000);
    if (soon < watch->look_at_us) {
        watch->look_at_us = soon;
    }
}

bool file_watch_look(struct file_watch *watch, int64_t now_us)
{
    bool moves = false, differs = false;
    for (size_t i = 0; i < watch->count; i++) {
        struct file_stamp now = stamp_of(watch->files[i].path);
        moves = moves || !same(&now, &watch->files[i].seen);
        differs = differs || !same(&now, &watch->files[i].known);
        watch->files[i].seen = now;
    }
    int64_t pause_ms = moves ? WATCH_SETTLE_MS : WATCH_PERIOD_MS;
    watch->look_at_us = watch->count > 0 ? now_us + pause_ms * 1000 : 0;
    if (moves || !differs) {
        return false;
    }
    for (size_t i = 0; i < watch->count; i++) {
        watch->files[i].known = watch->files[i].seen;
    }
    watch_all(watch);
    return true;
}

void file_watch_done(struct file_watch *watch)
{
    if (watch->reports > 0) {
        close(watch->reports);
    }
    arena_done(&watch->arena);
    *watch = (struct file_watch){.reports = -1};
}
