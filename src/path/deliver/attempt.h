/* attempt.h: one job's way over the network: hosts in order, a connection (kept from an earlier job
 * or new), transactions of a bounded number of recipients, until each has an outcome. Nothing is
 * sent to a second host that the first may have taken. */
#pragma once

#include "path/deliver/connection.h"
#include "path/deliver/happy_eyeballs.h"
#include "path/deliver/outgoing.h"
#include "path/route/host_tls.h"

struct attempt {
    struct deliver_office *office;
    struct delivery_job *job;
    struct list link;          /* in office->attempts */
    size_t host;               /* index of the host tried, or to be tried next */
    struct host_tls_query tls; /* how private the way to that host must be */
    bool asking;               /* for that */
    struct happy_eyeballs race;
    bool racing;
    size_t clear_host; /* 1 + index of a host with which TLS failed and need not be */
    struct connection *connection;
    bool reused;        /* the connection served another job before, and may be dead */
    size_t open_before; /* recipients without an outcome when the connection became ours */
    bool prepared;      /* `outgoing` is in this server's form */
    bool waiting;       /* for `outgoing` */
    bool over;          /* ends as soon as nothing is being read */

    /* The transaction under way, over some of the job's recipients. */
    bool started;
    struct client_transaction transaction;
    struct client_rcpt *rcpts;
    struct job_rcpt **job_rcpts;
    size_t rcpts_max;
    struct outgoing outgoing;

    /* What open recipients get when no host is left: the last temporary trouble, or where there
     * was none, the last refusal. */
    struct outcome trouble;
};

/* Takes the job, whose hop is over the network. */
void attempt_start(struct deliver_office *office, struct delivery_job *job);
/* The server is stopping: see deliver_stop(). */
void attempt_stop(struct attempt *a);

/* Words (attempt_outcome.c). The outcome that a result means, for one of this connection's
 * recipients. */
struct outcome attempt_outcome(struct attempt *a, const struct client_result *result);
/* The same for trouble without a connection. */
struct outcome attempt_trouble(struct attempt *a, struct status_code status, struct str text);
