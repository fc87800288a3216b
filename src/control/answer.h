/* answer.h: what the control socket tells, as JSON values: messages in the queue and stories. The
 * caller owns what is made; null: no memory. */
#pragma once

#include "path/queue/queue_control.h"

#include <jansson.h>

enum {
    ANSWER_RCPTS_MAX = 200,   /* of one message; "rcpt_count" has the whole number */
    ANSWER_EVENTS_MAX = 1000, /* the newest of one story; "event_count" has the whole number */
};

json_t *answer_text(struct str text);  /* what is no UTF-8 is told as Latin-1 */
json_t *answer_time(struct instant t); /* RFC 3339, null for zero */
json_t *answer_item(const struct queue_item *item);
json_t *answer_story(const struct story *story, struct instant now);
