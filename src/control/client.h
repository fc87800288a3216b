/* client.h: the verbs' side of the control socket. Blocks. */
#pragma once

#include "core/base/str.h"

#include <jansson.h>

struct control_ask {
    struct str path;  /* of the socket; NUL-terminated */
    json_t *question; /* taken over */
    /* A line of the answer, the last ("done") included; borrowed for the call. */
    void (*line)(void *owner, const json_t *line);
    void *owner;
};

/* EX_OK when the answer is complete; else an exit code of sysexits.h, with the reason printed to
 * standard error: EX_TEMPFAIL where no server runs, EX_NOPERM where it may not be asked. */
NODISCARD int control_ask(const struct control_ask *ask);
