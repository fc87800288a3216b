/* report.h: the stage that tells senders what became of their mail: delivery status notifications
 * (RFC 3464, in a multipart/report of RFC 6522; RFC 6533 where addresses need UTF-8), made durable
 * as messages of our own with the null reverse-path. Runs on the home loop. */
#pragma once

#include "core/mail/envelope.h"
#include "path/spool/report_request.h"
#include "port/ports.h"

struct report_office {
    const struct ports *ports;
    struct spool *spool;
    struct queue_id_maker *ids;
    /* A report became durable: the queue takes it up. `envelope` is borrowed. */
    void (*committed)(void *owner, const struct envelope *envelope);
    void *owner;
};

/* Makes the report; `ask->done` follows, never before this returned. What was sent with the null
 * reverse-path is never answered: its failures go to config->queue.bounce_postmaster, if there is
 * one. Of the message at most 1 MiB is returned (then its header alone; RET=HDRS likewise). */
void report_make(struct report_office *office, struct queue_report *ask);
