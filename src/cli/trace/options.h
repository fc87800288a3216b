/* options.h: what `postrider trace` was asked to do. */
#pragma once

#include "core/trace/judgement.h"

enum { TRACE_TRUST_MAX = 1000 };

struct trace_options {
    bool help, received, json, all, offline;
    const char *file;   /* a path, or a message's id in the queue; null: standard input */
    const char *html;   /* null: no page */
    const char *config; /* null: not given */
    const char *dns, *trust_anchor;

    struct str *names; /* whom to trust, and how many are given */
    size_t name_count;
    struct network *networks;
    size_t network_count;
    struct arena arena; /* has the lists */
};

/* -1: go on; else an exit code, with the reason told. */
int trace_options_take(struct trace_options *o, int argc, char **argv);
void trace_options_done(struct trace_options *o);
