/* deliver.h: the stage that carries a message to its next hop: SMTP and LMTP over the network, or a
 * mailbox or program here (local_deliver.h). One office a loop; it takes jobs from the queue and
 * sends each back when every recipient has an outcome (kind, at, status, reply_code, host, peer,
 * text, passed_on, by_unheard; `next` is the queue's to set). It keeps idle connections for the
 * next job of the same site. Writes debug events to the log and no others. */
#pragma once

#include "core/base/list.h"
#include "path/deliver/deposit.h"
#include "path/spool/job.h"
#include "port/ports.h"

struct deliver_office {
    const struct ports *ports; /* this loop's */
    struct list attempts;      /* network attempts under way */
    struct list idle;          /* connections without work, the longest idle first */
    size_t idle_count;
    bool stopping;
    uint64_t local_count; /* local deliveries made: for unique names */
    struct deposits deposits;
};

void deliver_office_init(struct deliver_office *office, const struct ports *ports);

/* Takes the job; `job->done` runs on the home loop (posted by `job->parcel`) when all its
 * recipients have an outcome, never before this returned. All recipients of a job have hops of one
 * kind, site and list of hosts; the first recipient's hop is the one that counts. Runs on the
 * office's loop: as an `open` of job->parcel, deliver_job() is called with the job around it. */
void deliver_job(struct deliver_office *office, struct delivery_job *job);

/* Ends idle connections, and soon every network attempt: those that have not sent a whole message
 * are deferred at once, the others wait a few seconds for the reply. Jobs that come later are
 * deferred. */
void deliver_stop(struct deliver_office *office);

/* When no job is out. Closes what is idle. */
void deliver_office_done(struct deliver_office *office);

/* Sends the job home: local and network delivery both end here. */
void deliver_finish(struct deliver_office *office, struct delivery_job *job);
/* The same, with this outcome, deferred, for every recipient that has none. */
void deliver_defer(struct deliver_office *office, struct delivery_job *job,
                   struct status_code status, struct str text);
