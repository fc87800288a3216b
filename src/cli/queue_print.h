/* queue_print.h: what `postrider queue` and `sendmail -bp` show of the queue. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* A message, from its JSON (control/answer.h): a row of the table, and under it a line for each
 * recipient that is not done. `whole`: every recipient, with its last attempt. */
void queue_print_item(const json_t *item, bool whole);
void queue_print_heading(void);
