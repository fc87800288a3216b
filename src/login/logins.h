/* logins.h: port/login.h for one loop: each step is a question to the login process, a failure is
 * told late. */
#pragma once

#include "core/smtp/sasl.h"
#include "port/login.h"
#include "world/loop.h"

/* Shared by all loops; see login_service_new(). */
struct login_service;

struct login_options {
    sasl_set mechanisms; /* that may be used */
    /* A socket to the login process, or -errno; `stuck`: the last one reads no questions, and is to
     * be replaced. From any thread. */
    int (*connect)(void *owner, bool stuck);
    void *owner;
};

/* 0 with `*made`, or -errno. */
NODISCARD int login_service_new(const struct login_options *options, struct login_service **made);
void login_service_free(struct login_service *service); /* after the loops; null is fine */
/* New exchanges are for a new process, which has read the configuration of now. From one thread,
 * while the loops run. */
void login_service_renew(struct login_service *service, sasl_set mechanisms);

/* A loop's own, made before any of them runs. Closed when nobody runs the loop any more, before
 * loop_free(); freed after that. */
NODISCARD struct logins *logins_new(struct login_service *service, struct loop *loop);
void logins_close(struct logins *logins); /* null is fine */
void logins_free(struct logins *logins);  /* null is fine */
