/* packets.h: one end of a pair of local sockets that keeps the bounds of messages, watched by a
 * loop. Not a port: only for the way to another process of ours. */
#pragma once

#include "core/base/str.h"
#include "world/loop.h"

enum { PACKET_MAX = 32768 };

struct packets;

struct packets_owner {
    /* A message came; the bytes are good during the call. */
    void (*arrived)(struct packets_owner *owner, struct str bytes);
    /* The other side is gone; nothing arrives any more. Close it. */
    void (*lost)(struct packets_owner *owner);
};

/* Takes the descriptor over, also where it fails. 0 or -errno. On the loop's thread. */
NODISCARD int packets_open(struct loop *loop, int descriptor, struct packets_owner *owner,
                           struct packets **made);
/* 0; -EAGAIN while the other side does not read; another -errno where it is gone. */
NODISCARD int packets_send(struct packets *packets, struct str bytes);
/* From inside `arrived` and `lost` too. On the loop's thread, or before loop_free() when nobody
 * runs it any more. Null is fine. */
void packets_close(struct packets *packets);
