/* postoffice.h: the whole of the mail's path, its stages joined: spool, queue, routing and reports
 * on the home loop; connections, sessions and deliveries on the branches. It asks nothing of the
 * world but ports, so the program and a simulation assemble the same thing. Everything here runs on
 * the home loop, but for what branch.h says. */
#pragma once

#include "path/branch.h"
#include "path/queue/queue.h"
#include "path/report/report.h"
#include "path/route/sts.h"

enum { BRANCHES_MAX = 64 };

struct postoffice;

struct postoffice_options {
    const struct config *config;
    const struct ports *home;
    const struct ports *const *branches; /* each of a loop that runs, or will */
    size_t branch_count;                 /* 1 to BRANCHES_MAX */
    bool salvage;                        /* see spool_log_open */
    uint64_t segment_size;  /* of the spool, bytes; 0: its default. Simulations take small ones */
    uint64_t inline_limit;  /* likewise */
    size_t draft_memory;    /* see branch.h */
    struct sts_office *sts; /* borrowed; null: MTA-STS is not used */
    /* Once: 0, when mail is taken; or -errno, and then a reason for people. After a failure the
     * post office is closed and gone. */
    void (*opened)(void *owner, int result, struct str reason);
    void *owner;
};

/* Null: no memory, and `opened` does not run. */
struct postoffice *postoffice_open(const struct postoffice_options *options);
/* Everything that comes from now on follows `config`, listeners too; the spool's place stays. */
void postoffice_reload(struct postoffice *office, const struct config *config);
/* Takes no new connection, ends sessions at their next command, breaks off deliveries, leaves the
 * queue on disk. When `closed` runs, nothing is left. */
void postoffice_close(struct postoffice *office, void (*closed)(void *owner), void *owner);

/* For the control socket. */
struct queue *postoffice_queue(struct postoffice *office);
struct spool *postoffice_spool(struct postoffice *office);
/* A draft office on the home loop, for mail that comes by other ways than a session. */
struct draft_office *postoffice_drafts(struct postoffice *office);
struct queue_id_maker *postoffice_ids(struct postoffice *office);
