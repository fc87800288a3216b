/* stream.h: a connection's bytes, both ways. One stream lives on one loop. Nothing here calls back
 * from inside a call of the owner's. */
#pragma once

#include "core/base/ip.h"
#include "core/base/str.h"

struct stream;

/* What the owner of a stream wants to hear. Set before the first byte can come. */
struct stream_events {
    /* Bytes arrived; borrowed until it returns. The owner takes all of them. */
    void (*data)(struct stream *stream, struct str bytes);
    /* No more will come: 0 for an orderly end, -errno for a broken connection. Once; writing may
     * still be possible after 0. */
    void (*end)(struct stream *stream, int error);
    /* All that was written has been handed to the system. Null: not wanted. */
    void (*drained)(struct stream *stream);
};

struct stream_ops {
    /* Sends the bytes; what the system does not take now is copied and sent later. An owner that
     * writes much waits for drained(): a stream's unsent bytes are the owner's to bound. */
    void (*write)(struct stream *stream, struct str bytes);
    size_t (*unsent)(const struct stream *stream);
    void (*pause)(struct stream *stream);  /* no data() until resume(); the peer is slowed by TCP */
    void (*resume)(struct stream *stream); /* may be called from data(); takes effect after it */
    /* Ends it: sends what is unsent, then closes; `stream` is not to be touched again and no event
     * comes. A peer that takes nothing is cut off after a minute. */
    void (*close)(struct stream *stream);
    void (*abort)(struct stream *stream); /* the same without sending what is unsent */
};

struct stream {
    const struct stream_ops *ops;
    const struct stream_events *events; /* the owner's */
    void *owner;                        /* the owner's */
    struct endpoint peer;               /* family IP_NONE for local sockets */
    struct endpoint local;
    /* The owner's: the peer has said its last (QUIT): close() need not wait for the end of what it
     * sends. */
    bool peer_done;
    bool user_known; /* a local socket that was accepted: the system told who connected */
    uint32_t user;   /* the user id, then */
};

static inline void stream_write(struct stream *stream, struct str bytes)
{
    stream->ops->write(stream, bytes);
}

static inline size_t stream_unsent(const struct stream *stream)
{
    return stream->ops->unsent(stream);
}

static inline void stream_pause(struct stream *stream)
{
    stream->ops->pause(stream);
}

static inline void stream_resume(struct stream *stream)
{
    stream->ops->resume(stream);
}

static inline void stream_close(struct stream *stream)
{
    stream->ops->close(stream);
}

static inline void stream_abort(struct stream *stream)
{
    stream->ops->abort(stream);
}
