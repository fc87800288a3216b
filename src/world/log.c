#include "world/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "world/inside.h"

struct world_log {
    struct log port;
    pthread_mutex_t mutex; /* a pipe takes more than PIPE_BUF bytes in parts */
    int descriptor;
    bool json;
    bool colours;
    atomic_int level;
};

static void write_whole(int descriptor, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(descriptor, bytes, len);
        if (n < 0 && errno != EINTR) {
            return; /* nobody reads the log: there is nobody to tell */
        }
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
}

static void event(struct log *log, enum log_level level, const char *name,
                  const struct log_field *fields, size_t count)
{
    struct world_log *w = CONTAINER_OF(log, struct world_log, port);
    if ((int)level < atomic_load_explicit(&w->level, memory_order_relaxed)) {
        return;
    }
    char text[LOG_LINE_MAX];
    const struct log_line line = {
        .time = clock_wall(), .level = level, .event = name, .fields = fields, .count = count};
    size_t len =
        w->json ? log_render_json(text, &line) : log_render_readable(text, &line, w->colours);
    pthread_mutex_lock(&w->mutex);
    write_whole(w->descriptor, text, len);
    pthread_mutex_unlock(&w->mutex);
}

struct log *log_new(int descriptor, enum log_style format, enum log_level level)
{
    struct world_log *w = calloc(1, sizeof *w);
    if (!w) {
        return NULL;
    }
    bool terminal = isatty(descriptor) == 1;
    w->port.event = event;
    w->descriptor = descriptor;
    w->json = format == LOG_STYLE_JSON || (format == LOG_STYLE_AUTO && !terminal);
    w->colours = terminal && getenv("NO_COLOR") == NULL;
    atomic_init(&w->level, (int)level);
    pthread_mutex_init(&w->mutex, NULL);
    return &w->port;
}

void log_set_level(struct log *log, enum log_level level)
{
    struct world_log *w = CONTAINER_OF(log, struct world_log, port);
    atomic_store_explicit(&w->level, (int)level, memory_order_relaxed);
}

void log_free(struct log *log)
{
    if (log) {
        struct world_log *w = CONTAINER_OF(log, struct world_log, port);
        pthread_mutex_destroy(&w->mutex);
        free(w);
    }
}
