/* words.h: what every rendering of a trace says in the same words. All append to `out`. What the
 * message says stands in it as it is: the rendering makes it safe for where it goes. */
#pragma once

#include "core/base/buf.h"
#include "core/trace/judgement.h"

/* One message's trace, and what its reader should know of how it was made. */
struct trace_view {
    const struct trace *trace;
    struct str source; /* which message: a file's name, "message 12 of …"; empty: standard input */
    bool trust_named;  /* somebody said whom to trust */
    bool offline;      /* the DNS was not asked */
};

/* How a verdict is shown: never by its colour alone. */
struct verdict_look {
    const char *sign;    /* one column of UTF-8 */
    const char *plain;   /* the same in ASCII */
    const char *sgr;     /* the terminal's colour */
    const char *meaning; /* of a whole message */
};
const struct verdict_look *verdict_look(enum trace_verdict verdict);

/* "2 min 5 s", with a minus sign if negative. */
void words_span(struct buf *out, int64_t seconds);
/* How long a bar a delay is, by its magnitude: 0 (none) to TRACE_BAR_MAX (a week and more). */
enum { TRACE_BAR_MAX = 10 };
unsigned words_bar(int64_t seconds);
/* "2026-11-24 07:15:30 UTC". */
void words_time(struct buf *out, int64_t seconds);
/* "203.0.113.7 (mail.example.net)", "203.0.113.7", or the name alone. */
void words_host(struct buf *out, struct ip ip, struct str name);
/* The two ends of a hop: who was heard, and who wrote the line. */
void words_client(struct buf *out, const struct received *r);
void words_writer(struct buf *out, const struct received *r);
/* "ESMTPS, TLSv1.3, Postfix": how it came; may be nothing. */
void words_means(struct buf *out, const struct received *r);

/* The finding, in a few sentences, each a line: where it came from, what is forged and why, */
void words_finding(struct buf *out, const struct trace_view *view);
/* …and what it rests on: who is trusted, what was left out. */
void words_ground(struct buf *out, const struct trace_view *view);
