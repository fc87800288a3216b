#include "path/branch.h"

enum { DRAFT_MEMORY_EACH = 1024 * 1024, DRAFT_MEMORY_ALL = 64 * 1024 * 1024 };

static void connection_accepted(void *owner, struct stream *stream, struct listen_kind kind)
{
    struct branch *branch = owner;
    session_start(&branch->sessions, stream, kind);
}

static void session_closed(void *owner, struct ip peer, struct span keep_place)
{
    struct branch *branch = owner;
    acceptor_closed(&branch->acceptor, peer, keep_place);
}

static bool make_room(void *owner)
{
    struct branch *branch = owner;
    return session_office_make_room(&branch->sessions);
}

static void open_branch(struct branch *branch, struct branch_order *order)
{
    branch->ids.loop = branch->number;
    branch->drafts = (struct draft_office){
        .ports = branch->ports,
        .home = branch->home,
        .spool = branch->spool,
        .folder = branch->spool_folder,
        .memory_each = branch->draft_memory ? branch->draft_memory : DRAFT_MEMORY_EACH,
        .memory_all = DRAFT_MEMORY_ALL,
        .committed = branch->committed,
        .owner = branch->owner,
    };
    branch->sessions = (struct session_office){
        .ports = branch->ports,
        .drafts = &branch->drafts,
        .ids = &branch->ids,
        .closed = session_closed,
        .owner = branch,
    };
    session_office_init(&branch->sessions, order->config);
    deliver_office_init(&branch->deliveries, branch->ports);
    branch->acceptor = (struct acceptor){
        .ports = branch->ports,
        .accepted = connection_accepted,
        .make_room = make_room,
        .owner = branch,
        .crowd = branch->crowd,
        .no_local_sockets = branch->number != 1,
    };
    order->result = acceptor_open(&branch->acceptor, order->config, &order->failed);
    branch->open = order->result == 0;
    if (!branch->open) {
        deliver_office_done(&branch->deliveries);
        session_office_done(&branch->sessions);
    }
}

static void close_branch(struct branch *branch)
{
    if (branch->open) {
        deliver_office_done(&branch->deliveries);
        session_office_done(&branch->sessions);
        acceptor_done(&branch->acceptor);
        branch->open = false;
    }
}

static void order_came_back(struct parcel *parcel)
{
    struct branch_order *order = CONTAINER_OF(parcel, struct branch_order, parcel);
    order->done(order);
}

static void send_back(struct branch_order *order)
{
    order->parcel.open = order_came_back;
    order->branch->home->post(order->branch->home, &order->parcel);
}

static void sessions_drained(void *owner)
{
    send_back(owner);
}

static void drain_branch(struct branch *branch, struct branch_order *order)
{
    if (!branch->open) {
        send_back(order);
        return;
    }
    acceptor_close(&branch->acceptor);
    deliver_stop(&branch->deliveries);
    session_office_drain(&branch->sessions, sessions_drained, order);
}

static void order_arrived(struct parcel *parcel)
{
    struct branch_order *order = CONTAINER_OF(parcel, struct branch_order, parcel);
    struct branch *branch = order->branch;
    switch (order->kind) {
    case BRANCH_OPEN:
        open_branch(branch, order);
        break;
    case BRANCH_RELOAD:
        session_office_reload(&branch->sessions, order->config);
        acceptor_reload(&branch->acceptor, order->config);
        break;
    case BRANCH_DRAIN:
        drain_branch(branch, order);
        return;
    case BRANCH_CLOSE:
        close_branch(branch);
        break;
    }
    send_back(order);
}

void branch_order(struct branch *branch, struct branch_order *order)
{
    order->branch = branch;
    order->parcel.open = order_arrived;
    branch->ports->inbox->post(branch->ports->inbox, &order->parcel);
}

static void job_arrived(struct parcel *parcel)
{
    struct delivery_job *job = CONTAINER_OF(parcel, struct delivery_job, parcel);
    struct branch *branch = job->carrier;
    deliver_job(&branch->deliveries, job);
}

void branch_deliver(struct branch *branch, struct delivery_job *job)
{
    job->carrier = branch;
    job->parcel.open = job_arrived;
    branch->ports->inbox->post(branch->ports->inbox, &job->parcel);
}
