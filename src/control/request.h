/* request.h: a question at the control socket, read from its JSON:
 *
 *     {"verb": "queue", "action": "list", "selector": {"id", "sender", "recipient", "domain",
 *      "site", "error", "older_us", "states"}, "limit": 100}
 *     {"verb": "why", "id": "…"}  or  {"verb": "why", "address": "…", "limit": 10}
 *     {"verb": "message", "id": "…"}
 *     {"verb": "status"}
 *     {"verb": "users", "limit": 100}  or  {"verb": "users", "user": "…"}: what they have sent
 *     {"verb": "reset", "user": "…"}: as if he had sent nothing
 */
#pragma once

#include "path/queue/queue_control.h"

#include <jansson.h>

enum control_verb {
    CONTROL_QUEUE,
    CONTROL_WHY,
    CONTROL_MESSAGE,
    CONTROL_STATUS,
    CONTROL_USERS,
    CONTROL_RESET,
};

struct control_question {
    enum control_verb verb;
    enum queue_action action;
    struct queue_selector selector; /* texts are slices of the JSON value */
    struct queue_id id;
    struct str address;
    struct str user;
    size_t limit;
};

/* False with a fixed reason. A key that is not known, or an empty value, is refused: it would widen
 * what is asked for. `json` is not changed. */
NODISCARD bool control_question_read(json_t *json, struct control_question *question,
                                     const char **reason);
