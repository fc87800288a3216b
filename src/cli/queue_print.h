/* queue_print.h: messages in the queue, for people: a table of one message a row, or all of one. */
#pragma once

#include <jansson.h>
#include <stdio.h>

void queue_print_head(FILE *to);
/* `item` as the server told it: see control/answer.h. */
void queue_print_row(FILE *to, const json_t *item);
void queue_print_whole(FILE *to, const json_t *item);
void queue_print_status(FILE *to, const json_t *status);
