/* logins.h: port/login.h for one loop: each step on a thread of the pool, a failure told late. */
#pragma once

#include "login/exchange.h"
#include "login/guard.h"
#include "world/loop.h"

/* Shared by all loops; see login_service_new(). */
struct login_service;

/* Null: no memory, or the library does not start. `file` is copied. */
NODISCARD struct login_service *login_service_new(struct str file);
void login_service_free(struct login_service *service); /* after the loops; null is fine */

/* A loop's own; freed after loop_free(). */
NODISCARD struct logins *logins_new(struct login_service *service, struct loop *loop);
void logins_free(struct logins *logins); /* null is fine */
