/* net.h: connections out and in. */
#pragma once

#include "port/stream.h"

/* A connection being made. The caller embeds and keeps it until `done` or cancel. There is no
 * time-out here: the caller arms a timer and cancels. */
struct net_connect {
    void (*done)(struct net_connect *op);
    struct endpoint to;
    struct ip from;        /* the source address; IP_NONE: the system's choice */
    struct str local_path; /* instead of `to`: a local socket; empty: none. Borrowed for the call */
    int error;             /* done: 0, or -errno */
    struct stream *stream; /* done: on success, paused: set its events, then resume */
    void *impl;
};

/* A listening socket. `accepted` gets every new stream, paused, its peer filled in. */
struct net_listener {
    void (*accepted)(struct net_listener *listener, struct stream *stream);
    struct endpoint at; /* port 0: any; the one chosen is written here */
    struct str local_path;
    void *owner;
    void *impl;
};

struct net {
    void (*connect)(struct net *net, struct net_connect *op);
    void (*cancel)(struct net *net, struct net_connect *op); /* `done` will not run */
    /* 0 or -errno. Several loops may listen at one endpoint; the system shares connections out. */
    int (*listen)(struct net *net, struct net_listener *listener);
    void (*unlisten)(struct net *net, struct net_listener *listener);
};
