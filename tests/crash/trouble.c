#include "crash/trouble.h"

#include "core/base/buf.h"
#include "sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct run_now run_now;

static void when(void)
{
    int64_t now = run_now.world ? run_now.world->now : 0;
    printf("%6lld.%06lld ", (long long)(now / 1000000), (long long)(now % 1000000));
}

void tell(const char *format, ...)
{
    if (run_now.verbose) {
        va_list args;
        va_start(args, format);
        when();
        (void)vprintf(format, args);
        (void)putchar('\n');
        va_end(args);
    }
}

void tell_event(const char *who, enum log_level level, const char *event,
                const struct log_field *fields, size_t count)
{
    if (!run_now.verbose || level == LOG_DEBUG) {
        return;
    }
    struct buf line = {0};
    for (size_t i = 0; i < count; i++) {
        buf_add_format(&line, " %s=", fields[i].name);
        if (fields[i].kind == LOG_STR) {
            buf_add(&line, fields[i].text);
        } else if (fields[i].kind == LOG_INT) {
            buf_add_format(&line, "%lld", (long long)fields[i].number);
        } else {
            ip_format(&line, fields[i].ip);
        }
    }
    tell("%s %s%.*s", who, event, (int)line.len, line.len ? line.ptr : "");
    buf_done(&line);
}

_Noreturn void trouble(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    when();
    (void)printf("seed %llu: ", (unsigned long long)run_now.seed);
    (void)vprintf(format, args);
    (void)putchar('\n');
    va_end(args);
    (void)fflush(stdout);
    _Exit(1);
}
