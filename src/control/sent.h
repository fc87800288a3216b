/* sent.h: what users have sent of late against their hourly limits, as JSON, a user a line:
 *
 *     {"user": {"name": "anna", "messages": {"used": 3, "limit": 500, "left": 497},
 *               "recipients": {…}, "size": 52428800}}
 *
 * Without a limit `limit` and `left` are null, and nothing counts as used. */
#pragma once

#include "config/config.h"
#include "port/allowances.h"

#include <jansson.h>

enum { SENT_USERS = 1000 }; /* unless more are asked for */

struct sent {
    struct allowances *allowances; /* null: nobody logs in */
    const struct config *config;

    struct arena arena;
    struct sent_user *users; /* who is nearest to a limit first */
    size_t count, next;
    bool more; /* than were asked for */
};

/* One user (whether he has sent or not), or where `user` is empty up to `limit` (0: SENT_USERS) of
 * those who have. `user` is borrowed until sent_done(). */
void sent_open(struct sent *sent, struct str user, size_t limit);
json_t *sent_next(struct sent *sent); /* a line; null at the end */
void sent_done(struct sent *sent);
