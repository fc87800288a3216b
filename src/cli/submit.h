/* submit.h: handing a message over: to the running server by SMTP, or where none runs, into the
 * pickup folder. Blocks. */
#pragma once

#include "config/config.h"
#include "core/smtp/client.h"

struct submission {
    const struct config *config;
    struct arena *arena;
    struct str sender;
    struct client_rcpt *rcpts; /* results are filled in */
    size_t rcpt_count;
    struct str message; /* CRLF line ends */
    bool eight_bit;
    bool smtputf8;
    enum dsn_ret ret;
    struct str envid;
    struct str server; /* "ADDR:PORT" instead of the configuration's listener; empty: that */
    struct str helo;
    struct client_result refusal; /* what a server that was reached, but would not begin, said */
};

/* The descriptor of a connection to the server, or -errno. */
NODISCARD int submit_connect(const struct submission *s);
/* By SMTP. 0: every recipient has a result. -errno: no server could be reached, or the one that was
 * would not begin: `refusal`, whose verdict is else VERDICT_OPEN. */
NODISCARD int submit_smtp(struct submission *s);
/* Into the pickup folder, durable when 0 is returned; else -errno. */
NODISCARD int submit_pickup(const struct submission *s, struct instant now, struct str user);
