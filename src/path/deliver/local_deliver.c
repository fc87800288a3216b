#include "path/deliver/local_deliver.h"

#include "path/deliver/local_delivery.h"

static const struct status_code success = {2, 0, 0};

static bool discard(const struct local_delivery *about)
{
    struct local_delivery *d = ARENA_NEW(&about->job->arena, struct local_delivery);
    if (!d) {
        return false;
    }
    *d = *about;
    local_settle(d, (struct local_verdict){OUTCOME_DELIVERED, success, STR("discarded")});
    return true;
}

static bool start(const struct local_delivery *about)
{
    const struct next_hop *hop = about->rcpt->hop;
    switch (hop->kind) {
    case HOP_MAILDIR:
        return maildir_deliver(about);
    case HOP_MBOX:
        /* Alias files name it to throw mail away, and a device is no mbox. */
        return str_eq(hop->path, STR("/dev/null")) ? discard(about) : mbox_deliver(about);
    case HOP_PIPE:
    case HOP_SYSTEM:
        return pipe_deliver(about);
    case HOP_DISCARD:
    case HOP_SMTP:
    case HOP_LMTP:
    case HOP_LMTP_LOCAL:
        break;
    }
    return discard(about);
}

void local_deliver(struct deliver_office *office, struct delivery_job *job, struct job_rcpt *rcpt,
                   void (*done)(struct delivery_job *job, struct job_rcpt *rcpt))
{
    struct local_delivery about = {
        .office = office,
        .job = job,
        .rcpt = rcpt,
        .done = done,
        .message = {.office = office, .job = job, .rcpt = rcpt},
    };
    office->local_count++;
    if (!start(&about)) {
        local_settle_now(&about, local_deferred((struct status_code){4, 3, 0},
                                                STR("this server has no memory left")));
    }
}
