/* queue.h: what is to be done, for which message and site, and when. Lives on the home loop. It
 * takes up every message that the spool made durable, has its recipients routed, hands jobs to the
 * deliver stage within each site's limits, makes the outcomes durable, asks for reports, and
 * forgets the message when nothing is left to do.
 *
 * It knows the neighbouring stages only as `struct queue_hands`. */
#pragma once

#include "config/config.h"
#include "core/base/buf.h"
#include "core/mail/next_hop.h"
#include "path/spool/job.h"
#include "path/spool/report_request.h"
#include "path/spool/spool.h"
#include "port/ports.h"

/* A question to the route stage. `result` and its texts are in `arena`. */
struct queue_route {
    void (*done)(struct queue_route *ask);
    const struct config *config;
    struct arena *arena;
    const struct envelope *envelope;
    struct str address;
    struct routing result;
    struct timer timer; /* the asked stage's; zeroed */
    void *impl;
};

/* The neighbouring stages. None calls `done` before the call returned. */
struct queue_hands {
    void (*route)(void *owner, struct queue_route *ask);
    void (*deliver)(void *owner, struct delivery_job *job); /* job->done follows */
    void (*report)(void *owner, struct queue_report *ask);
    void *owner;
};

struct queue;

/* Null: no memory. Give it what the spool found (queue_found()), then start it. */
struct queue *queue_new(const struct ports *ports, struct spool *spool, const struct config *config,
                        struct queue_hands hands);
NODISCARD bool queue_found(struct queue *q, const struct spool_found *message);
void queue_start(struct queue *q);
/* A message became durable. `envelope` is borrowed. */
void queue_arrived(struct queue *q, const struct envelope *envelope);
void queue_reload(struct queue *q, const struct config *config);
/* Hands out no further job; `stopped` runs when none is out and all outcomes are durable. */
void queue_stop(struct queue *q, void (*stopped)(void *owner), void *owner);
void queue_free(struct queue *q);
