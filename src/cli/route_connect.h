/* route_connect.h: `postrider route --connect`: one host tried as the deliver stage would, up to
 * the point where mail would be sent: connection, handshake, certificates, the policy's verdict. */
#pragma once

#include "path/deliver/connection.h"
#include "path/deliver/happy_eyeballs.h"
#include "path/route/host_tls.h"

#include <jansson.h>

struct route_connect {
    void (*done)(struct route_connect *try);
    const struct config *config;
    const struct host_tls_query *host; /* settled, with a policy */
    struct arena *arena;
    void *owner;

    bool good;      /* done: mail could be sent */
    json_t *result; /* done: facts; the caller's to free */

    /* Its own. */
    struct deliver_office office;
    struct delivery_job job;
    struct job_rcpt rcpt;
    struct happy_eyeballs race;
    struct connection *connection;
    struct timer later;
};

/* Zeroed, with the first part filled in; kept until the loop is freed. */
void route_connect_start(struct route_connect *try);
/* What was found, for people. */
void route_connect_print(const struct route_connect *try);
