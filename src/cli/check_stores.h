/* check_stores.h: whether the places where users are kept can be asked now. */
#pragma once

#include "config/config.h"

#include <jansson.h>

/* Asks each, as long as its time limit, and says on standard error which gives no answer. With
 * `list` nothing is printed: it gets an object for each. */
void check_stores(const struct config *config, json_t *list);
