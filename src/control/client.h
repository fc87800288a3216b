/* client.h: the verbs' side of the control socket: a question is sent, its answers are waited for,
 * one after the other. Blocks; for short-lived programs only. */
#pragma once

#include "control/line_feed.h"
#include "port/net.h"

#include <jansson.h>

enum { CONTROL_ANSWER_MAX = 256 << 20 }; /* octets of one line of an answer */

struct control_call {
    /* Where something failed: an exit code of sysexits.h, and what to tell the user. */
    int exit_code;
    struct buf problem;

    /* Its own: */
    struct str path;
    struct loop *loop;
    struct log *log;
    struct net_connect connect;
    struct stream *stream;
    struct line_feed lines;
    bool connected; /* the attempt ended */
    bool ended;     /* the server closed */
};

/* Connects to the server that listens at `path` (borrowed until close). False: `exit_code` is
 * EX_TEMPFAIL where nobody listens there, EX_NOPERM where we may not, else EX_UNAVAILABLE. `call`
 * is zeroed before, and closed after in any case. */
NODISCARD bool control_call_open(struct control_call *call, struct str path);
/* Sends a question (see request.h); takes it over. Null is "no memory". One at a time. */
NODISCARD bool control_call_ask(struct control_call *call, json_t *question);
/* The next line of the answer, the caller's to json_decref(); the last one has the member "done".
 * Null: the server went away, or refused what was asked; see exit_code. */
NODISCARD json_t *control_call_next(struct control_call *call);
void control_call_close(struct control_call *call);
