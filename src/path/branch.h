/* branch.h: what of the mail's path runs on one network loop: connections come in, sessions,
 * drafts, deliveries. The post office (postoffice.h) on the home loop gives it orders by parcels;
 * all else here runs on the branch's loop. */
#pragma once

#include "config/config.h"
#include "path/accept/accept.h"
#include "path/deliver/deliver.h"
#include "path/session/session.h"
#include "path/spool/draft.h"

struct branch {
    /* Set before the first order; they outlive the branch. */
    const struct ports *ports; /* this loop's */
    struct inbox *home;
    struct spool *spool; /* touched on the home loop only */
    struct str spool_folder;
    uint8_t number;      /* from 1: 0 is the home loop's in message ids */
    struct crowd *crowd; /* of all branches */
    size_t draft_memory; /* octets of a message before it goes to a file; 0: 1 MiB */
    void (*committed)(void *owner, const struct envelope *envelope); /* on the home loop */
    void *owner;

    struct queue_id_maker ids;
    struct draft_office drafts;
    struct session_office sessions;
    struct acceptor acceptor;
    struct deliver_office deliveries;
    bool open;
};

/* An order of the home loop's to a branch. It comes back, `done` running on the home loop. */
enum branch_order_kind {
    BRANCH_OPEN,   /* listen, by `config` */
    BRANCH_RELOAD, /* what comes from now on follows `config` */
    BRANCH_DRAIN, /* take no connection, end sessions, break off deliveries; done when no session is
                     left */
    BRANCH_CLOSE, /* after a drain, when no job is out: give everything back */
};

struct branch_order {
    struct parcel parcel;
    struct branch *branch;
    enum branch_order_kind kind;
    const struct config *config; /* borrowed until done */
    void (*done)(struct branch_order *order);
    void *owner;
    int result;                         /* OPEN: 0 or -errno, … */
    const struct config_listen *failed; /* … and the listener that could not be opened */
};

/* From the home loop. The caller keeps the order until done. */
void branch_order(struct branch *branch, struct branch_order *order);
/* From the home loop: the job's deliveries are made on the branch's loop; job->done follows. */
void branch_deliver(struct branch *branch, struct delivery_job *job);
