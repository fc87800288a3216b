/* log.h: events as lines, each written whole, from any thread, in the order of the events. A line
 * is at most LOG_LINE_MAX bytes; what does not fit is cut and marked. Whatever a field holds, it
 * cannot forge a line, a field or a terminal's control sequence: bytes that are not printable UTF-8
 * are escaped as \xNN or \uNNNN. */
#pragma once

#include "core/base/instant.h"
#include "port/log.h"

enum { LOG_LINE_MAX = 8192 };

enum log_style {
    LOG_STYLE_AUTO, /* readable on a terminal, else JSON */
    LOG_STYLE_JSON,
    LOG_STYLE_READABLE,
};

/* The descriptor is borrowed. Null where memory is short. */
NODISCARD struct log *log_new(int descriptor, enum log_style format, enum log_level level);
void log_set_level(struct log *log, enum log_level level); /* from any thread */
/* From now on this thread calls log_flush() before it waits for anything: until then its events of
 * less weight than a warning are kept back, to be written together. A loop's thread does so. */
void log_hold(bool hold);
void log_flush(void);
void log_free(struct log *log);

/* One event as a line with its LF; returns its length. For log_new()'s log and for tests. */
struct log_line {
    struct instant time;
    enum log_level level;
    const char *event;
    const struct log_field *fields;
    size_t count;
};
size_t log_render_json(char out[LOG_LINE_MAX], const struct log_line *line);
size_t log_render_readable(char out[LOG_LINE_MAX], const struct log_line *line, bool colours);
