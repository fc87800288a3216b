/* https.h: one question to a web server, over TLS with a certificate by a known authority (RFC 8461
 * 3.3, RFC 8460 5.4). No redirect is followed, no proxy used. Null in struct ports: there is none.
 */
#pragma once

#include "core/base/buf.h"
#include "core/base/instant.h"
#include "core/base/ip.h"

enum https_result {
    HTTPS_ANSWERED,    /* `status` and `answer` */
    HTTPS_FAILED,      /* no connection, or it broke */
    HTTPS_CERTIFICATE, /* not to be trusted, or for another name */
    HTTPS_TIMEOUT,
    HTTPS_TOO_LONG, /* the answer is over `limit` */
};

/* Embedded; texts are borrowed for the call. */
struct https_request {
    void (*done)(struct https_request *request); /* never before ask() returned */
    struct str host;                             /* a name in A-labels */
    const struct ip *ips;                        /* its addresses */
    size_t ip_count;
    uint16_t port;
    struct str path;         /* with query, begins with "/" */
    struct str body;         /* POST it; empty: GET */
    struct str content_type; /* of the body */
    size_t limit;            /* octets of the answer */
    struct span time;        /* for all of it */

    enum https_result result;
    int status;        /* ANSWERED: 200… */
    struct buf answer; /* ANSWERED: the caller's to free */
    struct buf reason; /* else: in words; the caller's to free */
    void *impl;
};

struct https {
    /* False: no memory, and `done` will not run. */
    bool (*ask)(struct https *https, struct https_request *request);
    void (*cancel)(struct https *https, struct https_request *request); /* `done` will not run */
};
