/* judged.h: a message judged, for the tests of rules. Lines of a message end with "\n". */
#pragma once

#include "core/trace/judgement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct judged {
    struct arena arena;
    struct trace trace;
};

static inline void judged_read(struct judged *d, const char *message)
{
    *d = (struct judged){0};
    assert_true(trace_read(&d->trace, &d->arena, str_from_cstr(message)));
}

/* The top line is trusted; nothing is in the future or old. */
static inline void judged_top(struct judged *d)
{
    const struct trace_trust trust = {.top = true};
    assert_true(trace_judge(&d->trace, &trust, 0));
}

static inline void judged_done(struct judged *d)
{
    arena_done(&d->arena);
}

static inline const struct trace_reason *judged_reason(const struct judged *d, size_t hop,
                                                       const char *rule)
{
    const struct trace_reason *r =
        hop == TRACE_NONE ? d->trace.reasons : d->trace.hops[hop].reasons;
    while (r && strcmp(r->rule->name, rule) != 0) {
        r = r->next;
    }
    return r;
}

static inline void judged_print(const struct judged *d)
{
    for (size_t i = 0; i < d->trace.hop_count; i++) {
        const struct trace_hop *hop = &d->trace.hops[i];
        print_message("%zu %s %d by %.*s\n", i, trace_verdict_name(hop->verdict), hop->score,
                      STR_ARG(hop->received.by));
        for (const struct trace_reason *r = hop->reasons; r; r = r->next) {
            print_message("    %s %d: %.*s\n", r->rule->name, r->weight, STR_ARG(r->text));
        }
    }
}

/* Judges with the top line trusted and holds the first forged line against `want`. */
static inline void judged_forged(const char *message, size_t want)
{
    struct judged d;
    judged_read(&d, message);
    judged_top(&d);
    if (d.trace.first_forged != want) {
        judged_print(&d);
    }
    assert_int_equal(d.trace.first_forged, want);
    judged_done(&d);
}

/* Whether a rule spoke of a hop of the message, with the top line trusted. */
static inline bool judged_says(const char *message, size_t hop, const char *rule)
{
    struct judged d;
    judged_read(&d, message);
    judged_top(&d);
    bool says = judged_reason(&d, hop, rule) != NULL;
    judged_done(&d);
    return says;
}

/* A rule that must, or must not, speak of a hop. */
struct judged_row {
    const char *says; /* the row's name */
    const char *message;
    size_t hop;
    const char *rule;
    bool speaks;
};

static inline void judged_rows(const struct judged_row *rows, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        if (judged_says(rows[i].message, rows[i].hop, rows[i].rule) != rows[i].speaks) {
            struct judged d;
            print_error("%s: %s\n", rows[i].says, rows[i].rule);
            judged_read(&d, rows[i].message);
            judged_top(&d);
            judged_print(&d);
            judged_done(&d);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* What stands above the line under test: it names mail.alder.example as its client. */
#define JUDGED_TOP                                                                                 \
    "Received: from mail.alder.example (mail.alder.example [21.4.16.25])\n"                        \
    "\tby mx.birch.example (Postfix) with ESMTPS id 4F2B61C0D3\n"                                  \
    "\tfor <anna@birch.example>; Tue,  3 Mar 2020 10:15:30 +0100 (CET)\n"
