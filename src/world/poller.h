/* poller.h: tells a loop's streams when their sockets can be read or written, for this folder
 * alone. One edge-triggered epoll set, which libuv watches as a whole: a socket joins it once and
 * is not registered again whoever pauses or waits (but for one that sends on and on), and a stream
 * needs no handle of libuv's, which would be half of what an idle connection costs. */
#pragma once

#include <uv.h>

#include "core/base/str.h"

struct loop_stream;

struct poller {
    uv_poll_t uv;
    int set; /* -1: none */
};

NODISCARD int poller_init(struct poller *p, uv_loop_t *uv); /* 0 or -errno */
void poller_close(struct poller *p);
/* stream_ready() follows: for input unless the stream is `muted`, with `wants_output` when it can
 * be written, and always for the end of input. 0 or -errno. */
NODISCARD int poller_join(struct poller *p, struct loop_stream *s);
/* After a change of these two: what can be done already is told at once. */
NODISCARD int poller_change(struct poller *p, struct loop_stream *s);
/* Before the descriptor is closed: a child of another thread's fork() may hold it a moment longer.
 * An event that was fetched before may still be told in this turn of the loop. */
void poller_leave(struct poller *p, struct loop_stream *s);
