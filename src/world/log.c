#include "world/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "world/inside.h"

enum { HOLD_MAX = 32768 };

struct world_log {
    struct log port;
    pthread_mutex_t mutex; /* a pipe takes more than PIPE_BUF bytes in parts */
    size_t held;
    char holding[HOLD_MAX];
    int descriptor;
    bool json;
    bool colours;
    atomic_int level;
};

/* A thread that promised to call log_flush() has its lines held until then: one write(2) for all
 * that a turn of its loop had to say. */
static _Thread_local bool thread_holds;
static _Thread_local struct world_log *thread_log;

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

static void flush_locked(struct world_log *w)
{
    write_whole(w->descriptor, w->holding, w->held);
    w->held = 0;
}

/* All lines leave in the order of their events, whoever holds them. */
static void add_line(struct world_log *w, const char *text, size_t len, bool at_once)
{
    pthread_mutex_lock(&w->mutex);
    if (len > sizeof w->holding - w->held) {
        flush_locked(w);
    }
    memcpy(w->holding + w->held, text, len);
    w->held += len;
    if (at_once) {
        flush_locked(w);
    }
    pthread_mutex_unlock(&w->mutex);
}

void log_hold(bool hold)
{
    log_flush();
    thread_holds = hold;
}

void log_flush(void)
{
    struct world_log *w = thread_log;
    if (w) {
        thread_log = NULL;
        pthread_mutex_lock(&w->mutex);
        flush_locked(w);
        pthread_mutex_unlock(&w->mutex);
    }
}

static void event(struct log *log, enum log_level level, const char *name,
                  const struct log_field *fields, size_t count)
{
    struct world_log *w = CONTAINER_OF(log, struct world_log, port);
    if ((int)level < atomic_load_explicit(&w->level, memory_order_relaxed)) {
        return;
    }
    static _Thread_local char text[LOG_LINE_MAX]; /* on the stack it would be zeroed each time */
    const struct log_line line = {
        .time = clock_wall(), .level = level, .event = name, .fields = fields, .count = count};
    size_t len =
        w->json ? log_render_json(text, &line) : log_render_readable(text, &line, w->colours);
    bool hold = thread_holds && level < LOG_WARNING && (!thread_log || thread_log == w);
    thread_log = hold ? w : thread_log;
    add_line(w, text, len, !hold);
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
        flush_locked(w);
        pthread_mutex_destroy(&w->mutex);
        free(w);
    }
}
