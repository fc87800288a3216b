/* client.h: one who sends messages, some well and some badly, and writes down what he was told. */
#pragma once

#include "crash/ledger.h"
#include "sim/net.h"
#include "sim/world.h"

struct client {
    struct sim_world *world;
    struct ledger *ledger;
    struct sim_host host;
    struct sim_loop loop;
    const char *home; /* the domain of the machine that it sends to, and of its sender */
    struct endpoint server;
    unsigned left;     /* connections still to be made */
    struct timer next; /* the next connection, or patience with this one */
    struct net_connect connect;
    struct stream *stream;
    struct buf in;
    struct promise *promise;
    unsigned messages;    /* more on this connection */
    unsigned step;        /* of the dialogue */
    unsigned replies_due; /* before the next step */
    unsigned rcpt_replies;
    bool pipelines;
    bool no_more; /* its number is spent, or the ledger is full */
};

void client_init(struct client *c, struct sim_world *w, struct sim_wire *wire, const char *ip);
void client_start(struct client *c);
bool client_done(const struct client *c);
