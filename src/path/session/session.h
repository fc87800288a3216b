/* session.h: a client's connection: drives the machine of core/smtp/server.h over a stream, with
 * timers, the checks of who the client is, and the draft of the message it sends. One office a
 * loop; a session lives on its loop to its end.
 *
 * Log events: connected, helo, mail, rcpt, queued, rejected, disconnected; from MAIL on each bears
 * the message's id. */
#pragma once

#include "config/config.h"
#include "core/base/list.h"
#include "core/base/slab.h"
#include "core/smtp/server.h"
#include "path/spool/draft.h"
#include "port/ports.h"

struct session_counts {
    uint64_t sessions; /* begun */
    uint64_t messages; /* taken: 250 was said */
    uint64_t octets;   /* of those */
    uint64_t refused;  /* messages refused after DATA */
    uint64_t rcpts_refused;
};

struct session_office {
    const struct ports *ports;
    const struct config *config; /* for sessions to come: change it with session_office_reload() */
    struct session_terms *terms; /* of that, held; null: not needed yet */
    struct draft_office *drafts;
    struct queue_id_maker *ids;
    /* A session has ended; `peer` of its stream. For so long after a client that behaved badly a
     * stranger's place stays taken. May be null. */
    void (*closed)(void *owner, struct ip peer, struct span keep_place);
    void *owner;

    struct session_counts counts;
    struct list sessions;   /* who has been quiet longest is first */
    struct list yielders;   /* sessions whose turn had no room for all that they said; in order */
    struct list handshakes; /* sessions whose clients have said nothing by TLS yet; in order */
    size_t handshake_count;
    struct timer turn;  /* armed while there are some */
    struct slab memory; /* theirs */
    size_t count;
    struct buf out; /* replies on their way into a stream; empty between events */
    bool draining;
    void (*drained)(void *owner);
    void *drained_owner;
};

/* Fill in ports, drafts, ids, closed, owner; the rest is set here. Holds `config`. */
void session_office_init(struct session_office *office, const struct config *config);
/* Sessions that come from now on follow `config`; those there keep theirs. */
void session_office_reload(struct session_office *office, const struct config *config);

/* Takes over the stream, greets, and resumes it. Without memory the stream is closed. */
void session_start(struct session_office *office, struct stream *stream, struct listen_kind kind);

/* Ends one session for another's sake, with 421: a stranger's that is in no transaction, or has not
 * moved for long in one; of those the one that has been quiet longest. False: there is none. */
NODISCARD bool session_office_make_room(struct session_office *office);

/* Every session ends with 421 at its next command; an idle one after a few seconds without, and any
 * that goes on is cut off after a minute. `done` runs when none is left, perhaps at once. */
void session_office_drain(struct session_office *office, void (*done)(void *owner), void *owner);
/* When no session is left. */
void session_office_done(struct session_office *office);
