#include "cli/trace/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { EVERY_MS = 100 };

static int64_t now_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_begin(struct progress *p, bool wanted)
{
    *p = (struct progress){.shown = wanted && isatty(STDERR_FILENO) != 0};
}

void progress_count(struct progress *p, enum trace_verdict verdict)
{
    p->count++;
    p->verdicts[verdict]++;
    if (p->shown && !isatty(STDOUT_FILENO) && now_ms() - p->last_ms >= EVERY_MS) {
        p->last_ms = now_ms();
        (void)fprintf(stderr, "\r%zu messages, %zu forged, %zu suspect", p->count,
                      p->verdicts[TRACE_FORGED], p->verdicts[TRACE_SUSPECT]);
    }
}

void progress_end(struct progress *p, size_t unreadable)
{
    if (p->shown) {
        (void)fprintf(stderr, "\r%zu messages:", p->count);
        for (int v = TRACE_FORGED; v >= TRACE_PROVEN; v--) {
            (void)fprintf(stderr, " %zu %s%s", p->verdicts[v],
                          trace_verdict_name((enum trace_verdict)v), v > TRACE_PROVEN ? "," : "\n");
        }
    }
    if (unreadable > 0) {
        (void)fprintf(stderr, "%s%zu files could not be read\n",
                      p->shown ? "" : "postrider trace: ", unreadable);
    }
}
