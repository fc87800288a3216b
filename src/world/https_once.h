/* https_once.h: one question to a web server by a thread that may wait, under the rules of
 * port/https.h, for the processes that have no loop. The system's resolver finds the host. */
#pragma once

#include "port/https.h"

struct https_once {
    const char *url;             /* https://… */
    struct str body;             /* posted */
    const char *content_type;    /* of the body */
    const char *user, *password; /* by HTTP Basic; null: nobody */
    struct str authorities;      /* PEM; empty: the system's */
    size_t limit;                /* octets of the answer */
    struct span time;            /* for all of it */
    int status;                  /* ANSWERED: 200… */
    struct buf *answer;          /* the caller's; a token's facts are in it */
    struct buf *reason;          /* not ANSWERED: gets why, in words */
};

/* Once, before there is a second thread. */
NODISCARD bool https_once_start(void);
NODISCARD enum https_result https_once(struct https_once *question);
