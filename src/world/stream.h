/* stream.h: port/stream.h over a libuv socket, for this folder alone. A stream costs this struct
 * and the kernel's socket: input is read into the loop's shared buffer, and output takes memory
 * only while the peer does not take it. */
#pragma once

#include "world/inside.h"

enum stream_state {
    STREAM_CONNECTING,
    STREAM_OPEN,
    STREAM_SENDING,   /* closed by its owner: the rest is being sent */
    STREAM_LINGERING, /* our end is shut; waiting for the peer's */
    STREAM_GONE,      /* freed when libuv has closed the handle */
};

struct loop_stream {
    struct stream port;
    struct loop *loop;
    struct list node; /* in the loop's streams */
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    struct soon soon;
    struct timer deadline;
    size_t unsent;
    int error; /* why nothing can be sent any more; to be told by end() */
    enum stream_state state;
    bool reading; /* whoever owns it wants input */
    bool started; /* libuv reads */
    bool ended;   /* end() was called */
};

/* Takes over the socket, also where it fails and returns null. `state` CONNECTING or OPEN. */
struct loop_stream *stream_new(struct loop *loop, int descriptor, bool local,
                               enum stream_state state);
/* CONNECTING becomes OPEN; fills in the endpoints. */
void stream_connected(struct loop_stream *s);
/* Closes it at once, in any state. */
void stream_drop(struct loop_stream *s);
