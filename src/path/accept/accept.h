/* accept.h: connections come in: the listeners of the configuration on one loop, and how many
 * connections there may be, in all and from one address. */
#pragma once

#include "config/config.h"
#include "core/base/list.h"
#include "path/accept/doorstep.h"
#include "path/accept/penalty.h"
#include "port/ports.h"

struct acceptor {
    const struct ports *ports;
    /* Takes every stream let in, paused. Its end is told by acceptor_closed(). */
    void (*accepted)(void *owner, struct stream *stream, struct listen_kind kind);
    /* There are as many connections as may be: ends the one that is least worth, of this loop.
     * False: none can be spared. May be null. */
    bool (*make_room)(void *owner);
    void *owner;
    struct crowd *crowd;   /* of all loops that share the limits */
    bool no_local_sockets; /* only one loop can listen at a path: it is another one */

    const struct config *config;
    struct list listeners; /* of struct listener */
    uint64_t refused;      /* so far */
    struct penalties penalties;
    struct doorstep doorstep;
};

/* Opens every listener of `config`, which is held. 0, or -errno with `*failed` the one that could
 * not be opened (nothing is open then). Set `ports`, `accepted`, `owner`, `crowd` before; the rest
 * zeroed.
 */
NODISCARD int acceptor_open(struct acceptor *a, const struct config *config,
                            const struct config_listen **failed);
/* New limits; listeners that are in both configurations stay open, others are closed, new ones
 * opened. One that cannot be opened is told in the log. */
void acceptor_reload(struct acceptor *a, const struct config *config);
/* A stream given to accepted() has ended; `peer` as it was in the stream. A stranger's place stays
 * taken for `keep_place`, so that who was no use to anybody does not come back at once. */
void acceptor_closed(struct acceptor *a, struct ip peer, struct span keep_place);
/* Takes no further connection; those made stay. */
void acceptor_close(struct acceptor *a);
/* After all connections have ended. */
void acceptor_done(struct acceptor *a);
