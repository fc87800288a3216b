/* stream.h: port/stream.h over a socket, for this folder alone. A stream costs this struct and the
 * kernel's socket: input is read into the loop's shared buffer, and output takes memory only while
 * the peer does not take it. */
#pragma once

#include "world/inside.h"

enum stream_state {
    STREAM_CONNECTING,
    STREAM_OPEN,
    STREAM_SENDING,   /* closed by its owner: the rest is being sent */
    STREAM_LINGERING, /* our end is shut; waiting for the peer's */
    STREAM_GONE,      /* freed at the next turn */
};

struct unsent;

struct loop_stream {
    struct stream port; /* CONNECTING: `owner` is net.c's */
    struct loop *loop;
    struct list node; /* in the loop's streams */
    struct soon soon;
    struct timer deadline;
    struct unsent *first, *last; /* what the system did not take yet */
    size_t unsent;
    int descriptor;
    int error; /* why nothing can be sent any more; to be told by end() */
    enum stream_state state;
    uint32_t lingered; /* octets read since our end is shut */
    bool reading;      /* whoever owns it wants input */
    bool readable;     /* there may be some, of which the poller will not tell again */
    bool hung;         /* after that nothing more comes */
    bool wants_output; /* the poller was asked to tell */
    bool told_in_vain; /* of input, while nobody wants any */
    bool muted;        /* the poller was asked not to tell of input */
    bool drain_due;    /* drained() at the next turn */
    bool ended;        /* end() was called */
};

/* What is written leaves at once; for a listening socket, that of its connections. */
void stream_no_delay(int descriptor);
/* Takes over the socket, also where it fails and returns null. `state` CONNECTING or OPEN. */
struct loop_stream *stream_new(struct loop *loop, int descriptor, enum stream_state state);
/* CONNECTING becomes OPEN; fills in the endpoints. */
void stream_connected(struct loop_stream *s);
/* Closes it at once, in any state. */
void stream_drop(struct loop_stream *s);

/* What the poller found. */
struct stream_readiness {
    bool input;
    bool output;
    bool last; /* the peer sends no more, or the connection is broken */
};
void stream_ready(struct loop_stream *s, struct stream_readiness found);
