/* happy_eyeballs.h: a connection to a host that may have many addresses of both families, some of
 * them dead (RFC 8305). Families take turns, IPv6 first; each connect has a head start of 250 ms
 * over the next, or until it fails; the first that is made wins and the others are dropped. */
#pragma once

#include "config/config.h"
#include "path/route/addresses.h"
#include "port/ports.h"

struct eyeball {
    struct net_connect op;
    struct happy_eyeballs *race;
    bool running;
};

/* The caller embeds it, zeroed, fills in the first part, and keeps it until done or cancel. */
struct happy_eyeballs {
    void (*done)(struct happy_eyeballs *race); /* once, never before the start returned */
    const struct ports *ports;
    struct arena *arena; /* for the addresses and `text` */
    const struct hop_host *host;
    uint16_t port;
    struct str local_path;               /* instead of a host: a local socket */
    const struct config_deliver *config; /* families, sources, `connect` over all */
    void *owner;

    struct stream *stream; /* done: the connection, paused; null: none was made */
    struct endpoint peer;
    struct status_code status; /* done without one: class 4 or 5 */
    struct str text;           /* and why, in words */

    /* Its own. */
    struct addresses_query addresses;
    struct timer next;  /* the head start, and the wait for AAAA */
    struct timer limit; /* of all together */
    bool asking;
    bool waiting; /* `next` is armed */
    bool over;
    enum ip_family last;
    size_t used4, used6;
    size_t running;
    size_t count;
    struct eyeball eyeballs[2 * ADDRESSES_FAMILY_MAX];
    int error; /* the last connect's */
    struct endpoint error_at;
};

void happy_eyeballs_start(struct happy_eyeballs *race);
void happy_eyeballs_cancel(struct happy_eyeballs *race); /* `done` will not run; fine when over */
