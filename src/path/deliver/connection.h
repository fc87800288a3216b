/* connection.h: one connection to a next hop: a stream, the client machine that speaks on it, and
 * the time-out of what is awaited (RFC 5321 4.5.3.2). It belongs to an attempt, or to the office
 * while it is idle or saying goodbye. */
#pragma once

#include "core/smtp/client.h"
#include "path/deliver/deliver.h"

enum connection_loss {
    LOSS_NONE,
    LOSS_ENDED,   /* the server closed it */
    LOSS_BROKEN,  /* reset, unreachable… */
    LOSS_TIMEOUT, /* no reply, or no byte taken, in time */
    LOSS_TLS,     /* no handshake */
    LOSS_STOPPED, /* this server is stopping */
};

struct connection {
    struct smtp_client client;
    struct endpoint peer;
    struct str host; /* its name; the connection's memory */
    struct str site;
    enum connection_loss loss;

    /* Something happened: look at the client's state. The connection may be ended from it. Null:
     * nobody's, the office's. */
    void (*changed)(struct connection *c);
    void *owner;

    bool shaking;                 /* hands, for TLS */
    bool counted;                 /* by the tally */
    const struct tls_policy *tls; /* the host's, until the handshake is done */
    struct deliver_office *office;
    struct stream *stream;
    struct timer timer;
    struct config_deliver times;
    uint32_t messages_max;
    uint32_t turns;
    struct span hurry; /* the most that it waits; zero: as configured */
    struct list link;  /* in office->idle */
};

/* Takes the stream, fresh and paused. `tls` is borrowed until it is READY. Null: no memory, and the
 * stream is gone. */
struct connection *connection_new(struct deliver_office *office, struct stream *stream,
                                  const struct delivery_job *job, struct str host,
                                  const struct tls_policy *tls);
/* Why the handshake failed, in words. */
struct str connection_tls_trouble(const struct connection *c);
void connection_free(struct connection *c); /* at once; what is unsent goes out unless it is lost */

/* smtp_client_*(), and off with what that has to send. */
void connection_start(struct connection *c, struct client_transaction *t);
void connection_body(struct connection *c, struct str piece, bool last);
/* All sent so far has been taken: the next piece may follow. */
bool connection_is_drained(const struct connection *c);
/* Gives it up: the transaction ends with LOST. The caller frees it. */
void connection_give_up(struct connection *c, enum connection_loss loss);
/* From now on it waits no longer than this for anything. */
void connection_hurry(struct connection *c, struct span limit);

/* READY: says goodbye, and frees itself when that was heard. */
void connection_quit(struct connection *c);
/* Its owner has no more use for it, in whatever state between transactions it is: keeps it for the
 * next job of its site, if it may be used again; else ends it. */
void connection_keep(struct connection *c);
/* An idle connection of the site, no longer the office's; null: none. */
struct connection *connection_reuse(struct deliver_office *office, struct str site);
/* May a further transaction begin on it? */
bool connection_has_room(const struct connection *c);
