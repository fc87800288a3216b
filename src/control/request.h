/* request.h: what a verb asks of the running server, as one JSON object on a line. Pure: the
 * server reads it, the verbs write it.
 *
 *   {"ask": "queue", "action": "list", "select": {"domain": "example.net"}, "limit": 100}
 *   {"ask": "why", "id": "0f2q…"}        {"ask": "why", "address": "a@example.org", "limit": 3}
 *   {"ask": "status"}
 *
 * `action`: list, show (list with every recipient), retry, hold, release, remove, bounce.
 * `select`: id, sender ("<>": the null reverse-path), recipient, domain, site, error (a part of the
 * last failure's text), older_than (seconds), state (a list of waiting, active, held). All that is
 * given must hold; a key that is not known is an error, so that a misspelt one never widens what is
 * removed. */
#pragma once

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "path/queue/queue_control.h"

enum {
    CONTROL_REQUEST_MAX = 64 << 10, /* octets of a request's line */
    CONTROL_STORIES_MAX = 1000,
};

enum control_ask { CONTROL_QUEUE, CONTROL_WHY, CONTROL_STATUS };

struct control_request {
    enum control_ask ask;
    enum queue_action action;       /* QUEUE */
    bool show;                      /* QUEUE: every recipient is told */
    struct queue_selector selector; /* QUEUE */
    struct queue_id id;             /* WHY: zero: by address */
    struct str address;             /* WHY */
    size_t limit;                   /* QUEUE: 0: all. WHY: 0: ten */
};

/* Texts are copied into `arena`. False: `problem` (nothing before) tells a person what is wrong. */
NODISCARD bool control_request_read(struct str line, struct arena *arena,
                                    struct control_request *request, struct buf *problem);
/* The line, with its LF. Texts that are not UTF-8 cannot be asked for: `out` fails. */
void control_request_write(struct buf *out, const struct control_request *request);

/* By the name of the action: "list" … "bounce"; "show" is QUEUE_LIST with `show`. */
NODISCARD bool control_action(struct str name, enum queue_action *action, bool *show);
struct str control_action_name(enum queue_action action, bool show);
/* "waiting", "active", "held"; 0: none of them. */
unsigned control_state(struct str name);
struct str control_state_name(enum queue_item_state state);
