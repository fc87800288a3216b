/* progress.h: how far the judging of many messages is, on standard error where that is a terminal;
 * nothing elsewhere. */
#pragma once

#include "core/base/instant.h"
#include "core/trace/judgement.h"

struct progress {
    bool shown;
    size_t count;
    size_t verdicts[TRACE_FORGED + 1];
    int64_t last_ms; /* when it was shown */
};

void progress_begin(struct progress *p, bool wanted);
void progress_count(struct progress *p, enum trace_verdict verdict);
/* The totals; `unreadable`: files that were passed over. */
void progress_end(struct progress *p, size_t unreadable);
