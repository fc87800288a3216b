/* job.h: the message by which the queue hands one message's recipients at one site to the deliver
 * stage, and by which their outcomes come back. The message is pinned in the spool meanwhile. */
#pragma once

#include "config/config.h"
#include "core/mail/next_hop.h"
#include "path/spool/spool.h"
#include "port/inbox.h"

struct job_rcpt {
    uint32_t index; /* the outcome's `rcpt` */
    struct str address;
    struct str orcpt;
    uint8_t notify;
    struct str final_mailbox; /* Delivered-To's address for mailboxes; as `address` unless an alias
                                 led here */
    const struct next_hop *hop;
    struct outcome outcome; /* filled by deliver: kind, at, status, reply_code, host, peer, text,
                               passed_on, by_unheard */
};

struct delivery_job {
    struct parcel parcel;                   /* to the deliver loop, and back */
    void (*done)(struct delivery_job *job); /* runs on the home loop when all have an outcome */
    struct inbox *home;
    const struct config *config; /* held for the job's time */
    struct arena arena; /* everything the job points to; deliver adds the outcomes' texts */
    const struct envelope *envelope; /* its recipients are not these */
    struct str sender;               /* the reverse-path to use */
    struct str site;
    struct str additions;
    struct spool_body body;
    struct job_rcpt *rcpts; /* all of one site; each with an outcome of kind 0 at first */
    size_t rcpt_count;
    void *owner;      /* the queue's */
    struct list link; /* the deliver stage's */
    void *work;       /* the deliver stage's, while it has the job */
    void *carrier;    /* belongs to whoever carries the job between loops */
};
