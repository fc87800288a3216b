/* report_request.h: what the queue asks of the report stage: tell a message's sender what became of
 * some of its recipients (RFC 3461, RFC 3464). */
#pragma once

#include "config/config.h"
#include "core/mail/outcome.h"
#include "path/spool/spool.h"

/* A report to be made about some recipients of a message, and made durable. */
enum report_kind { REPORT_FAILURE, REPORT_DELAY, REPORT_SUCCESS };
struct report_rcpt {
    struct str address; /* as the sender gave it: the recipient that the client named */
    struct str orcpt;
    struct str final_address; /* where expansion led, if elsewhere */
    struct outcome outcome;
    struct instant give_up; /* DELAY: until when it will be tried */
};
struct queue_report {
    void (*done)(struct queue_report *ask); /* result 0: durable and queued */
    const struct config *config;
    enum report_kind kind;
    const struct envelope *envelope; /* its reverse_path is who is told */
    struct str additions;
    struct spool_body body; /* pinned */
    const struct report_rcpt *rcpts;
    size_t rcpt_count;
    int result;
    struct queue_id id; /* done: of the report; zero: there is nobody to tell */
    void *impl;
};
