/* poller.h: tells a loop's streams when their sockets can be read or written, for this folder
 * alone. One edge-triggered epoll set, which libuv watches as a whole: a socket joins it once and
 * is not registered again whoever pauses or waits, and a stream needs no handle of libuv's, which
 * would be half of what an idle connection costs. */
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
/* stream_ready() follows: for input, and with `output` also when it can be written. 0 or -errno. */
NODISCARD int poller_join(struct poller *p, struct loop_stream *s, bool output);
/* From now on for output too; at once where it can be written already. */
NODISCARD int poller_want_output(struct poller *p, struct loop_stream *s);
/* Before the descriptor is closed: a child of another thread's fork() may hold it a moment longer.
 * An event that was fetched before may still be told in this turn of the loop. */
void poller_leave(struct poller *p, struct loop_stream *s);
