/* serve_servants.h: the processes that do one thing for the worker. Each returns its exit code. */
#pragma once

#include "config/config.h"

/* `serve --runner`: runs programs, as the user that the worker is, but without its fence: programs
 * have needs of their own. */
NODISCARD int serve_runner(const struct config *config);
/* `serve --postman`: delivers to system users, as each of them (postman/postman.h). */
NODISCARD int serve_postman(const struct config *config);
/* `serve --keys`: reads certificates and their private keys, gives up everything, and signs. */
NODISCARD int serve_keys(const struct config *config);
/* `serve --dkim`: the same with the keys of DKIM. */
NODISCARD int serve_dkim_keys(const struct config *config);
/* `serve --login`: finds out who users are, as the user that the worker is; behind a fence too, but
 * where PAM is asked. Does not return but where it cannot begin. */
NODISCARD int serve_login(const struct config *config);
