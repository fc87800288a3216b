/* login.h: AUTH in a session (RFC 4954): hands the exchange to port/login.h, and its results to the
 * machine. Log events: login, login-failed (which bears all that a watcher of logs needs to shut an
 * address out: client, user, mechanism). */
#pragma once

#include "path/session/session_inside.h"

/* The mechanisms to offer now, in the session's arena; empty: none. */
struct str login_offer(struct session *s);
/* The events of the machine. */
void login_on_auth(struct session *s, const struct command *c);
void login_on_response(struct session *s, struct str response);
/* The exchange is over or broken off; fine if there is none. */
void login_end(struct session *s);
