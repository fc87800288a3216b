#include "path/deliver/deliver.h"

#include "path/deliver/attempt.h"
#include "path/deliver/local_deliver.h"

/* Runs on the home loop. */
static void open_at_home(struct parcel *parcel)
{
    struct delivery_job *job = CONTAINER_OF(parcel, struct delivery_job, parcel);
    job->done(job);
}

void deliver_office_init(struct deliver_office *office, const struct ports *ports)
{
    *office = (struct deliver_office){.ports = ports};
    list_init(&office->attempts);
    list_init(&office->idle);
    deposits_init(&office->deposits, ports);
}

void deliver_finish(struct deliver_office *office, struct delivery_job *job)
{
    (void)office;
    job->work = NULL;
    job->parcel.open = open_at_home;
    job->home->post(job->home, &job->parcel);
}

void deliver_defer(struct deliver_office *office, struct delivery_job *job,
                   struct status_code status, struct str text)
{
    struct clock *clock = office->ports->clock;
    for (size_t i = 0; i < job->rcpt_count; i++) {
        struct outcome *outcome = &job->rcpts[i].outcome;
        if (outcome->kind == 0) {
            *outcome = (struct outcome){
                .rcpt = job->rcpts[i].index,
                .kind = OUTCOME_DEFERRED,
                .at = clock->wall(clock),
                .status = status,
                .site = job->site,
                .text = text,
            };
        }
    }
    deliver_finish(office, job);
}

/* One after the other: a list's thousand mailboxes are not opened at once. */
static void next_local(struct deliver_office *office, struct delivery_job *job);

static void on_local(struct delivery_job *job, struct job_rcpt *rcpt)
{
    rcpt->outcome.rcpt = rcpt->index;
    next_local(job->work, job);
}

static void next_local(struct deliver_office *office, struct delivery_job *job)
{
    for (size_t i = 0; i < job->rcpt_count; i++) {
        if (job->rcpts[i].outcome.kind == 0) {
            job->work = office;
            local_deliver(office, job, &job->rcpts[i], on_local);
            return;
        }
    }
    deliver_finish(office, job);
}

void deliver_job(struct deliver_office *office, struct delivery_job *job)
{
    if (office->stopping) {
        deliver_defer(office, job, (struct status_code){4, 3, 2},
                      STR("this server is being stopped"));
        return;
    }
    if (job->rcpt_count == 0) {
        deliver_finish(office, job);
        return;
    }
    switch (job->rcpts[0].hop->kind) {
    case HOP_SMTP:
    case HOP_LMTP:
    case HOP_LMTP_LOCAL:
        attempt_start(office, job);
        break;
    case HOP_MAILDIR:
    case HOP_MBOX:
    case HOP_PIPE:
    case HOP_DISCARD:
    case HOP_SYSTEM:
        next_local(office, job);
        break;
    }
}

void deliver_stop(struct deliver_office *office)
{
    office->stopping = true;
    LIST_EACH (node, &office->idle) {
        struct connection *c = CONTAINER_OF(node, struct connection, link);
        if (smtp_client_state(&c->client) == CLIENT_READY) {
            connection_quit(c);
        }
    }
    LIST_EACH (node, &office->attempts) {
        attempt_stop(CONTAINER_OF(node, struct attempt, link));
    }
}

void deliver_office_done(struct deliver_office *office)
{
    while (!list_empty(&office->idle)) {
        connection_free(CONTAINER_OF(office->idle.next, struct connection, link));
    }
}
