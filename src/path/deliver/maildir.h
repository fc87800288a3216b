/* maildir.h: the names of messages in a Maildir (cr.yp.to/proto/maildir.html). The delivery itself
 * is maildir_deliver() of local_delivery.h: written in tmp, synced, moved to new, new synced; only
 * then is it delivered. A crash leaves at most a file in tmp, which whoever reads the Maildir may
 * remove after 36 hours. */
#pragma once

#include "core/base/buf.h"
#include "core/base/instant.h"

struct maildir_name {
    struct instant now;
    struct str id;    /* the message's queue id */
    uint64_t count;   /* deliveries this loop made */
    uint64_t entropy; /* 64 bits that no other delivery has */
    struct str hostname;
};

/* "seconds.M<us>P<id>Q<count>R<entropy>.<host>": no process number, which says nothing across
 * containers. In the host's name "/" and ":" become "\057" and "\072". At most 230 octets, so that
 * a size and flags fit behind it. */
void maildir_name_format(struct buf *out, const struct maildir_name *name);
