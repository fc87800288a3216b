/* local_delivery.h: what every way of local delivery has: the message, the recipient, and the words
 * for what can go wrong with a mailbox. */
#pragma once

#include "path/deliver/local_deliver.h"
#include "path/deliver/local_message.h"

/* Embedded in the delivery of a kind, which is the job's memory. */
struct local_delivery {
    struct deliver_office *office;
    struct delivery_job *job;
    struct job_rcpt *rcpt;
    void (*done)(struct delivery_job *job, struct job_rcpt *rcpt);
    struct local_message message;
    struct timer settled;
};

/* What came of it; `text` stands in the job's arena or is a literal. */
struct local_verdict {
    enum outcome_kind kind;
    struct status_code status;
    struct str text;
};

/* Starts the delivery that `about` describes; false: no memory. Each settles it once. */
NODISCARD bool maildir_deliver(const struct local_delivery *about);
NODISCARD bool mbox_deliver(const struct local_delivery *about);
NODISCARD bool pipe_deliver(const struct local_delivery *about);

/* Makes that the recipient's outcome and ends the delivery, at the loop's next turn. Nothing of it
 * may be under way any more. */
void local_settle(struct local_delivery *d, struct local_verdict verdict);
/* The same at once, for where there is nothing to arm a timer in. */
void local_settle_now(struct local_delivery *d, struct local_verdict verdict);

/* "cannot <what> <path>: why, and what to do about it" for a -errno of the disk. */
struct local_verdict local_disk_trouble(struct local_delivery *d, const char *what, struct str path,
                                        int64_t error);
/* The message itself is the trouble: message.error or message.refused is set. */
struct local_verdict local_message_trouble(const struct local_delivery *d);

static inline struct local_verdict local_deferred(struct status_code status, struct str text)
{
    return (struct local_verdict){OUTCOME_DEFERRED, status, text};
}

static inline bool local_message_failed(const struct local_message *m)
{
    return m->error != 0 || m->refused;
}

/* The path without slashes at its end, and the folder it is in ("." for a name alone). */
struct str local_bare_path(struct str path);
struct str local_folder_of(struct str path);
