/* forwards.h: what the postman answers where a user's ~/.forward sends mail on: a line "> address"
 * for each. That process became the user, so nothing it says is believed. */
#pragma once

#include "path/deliver/local_delivery.h"

enum { FORWARDS_BYTES_MAX = 32768 };

bool forwards_begin(struct str output); /* whether it is such an answer */
/* EXPANDED to the addresses (in the job's arena), or deferred where the answer has not that form.
 */
struct forwards {
    struct outcome_child *children;
    size_t count;
};
struct local_verdict forwards_read(struct str output, struct arena *arena, struct forwards *made);
