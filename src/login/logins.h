/* logins.h: port/login.h for one loop: each step on a thread of the pool, a failure told late. */
#pragma once

#include "login/exchange.h"
#include "login/guard.h"
#include "world/loop.h"

/* Shared by all loops; see login_service_new(). */
struct login_service;

struct login_options {
    struct str users_file;
    struct str folder; /* the server's own, for login-secret */
    sasl_set mechanisms;
};

/* 0 with `*made`, or -errno: -ENOTSUP where the library does not start. Texts are copied. */
NODISCARD int login_service_new(const struct login_options *options, struct login_service **made);
void login_service_free(struct login_service *service); /* after the loops; null is fine */

/* A loop's own; freed after loop_free(). */
NODISCARD struct logins *logins_new(struct login_service *service, struct loop *loop);
void logins_free(struct logins *logins); /* null is fine */
