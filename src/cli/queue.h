/* queue.h: what sendmail -bp and -q want of the queue. */
#pragma once

#include "config/config.h"

/* Each prints and returns an exit code. */
int queue_print(const struct config *config);
/* Tries again what the selector key ("recipient", "domain", "sender", "id") picks by `value`; null:
 * all. */
int queue_retry(const struct config *config, const char *key, const char *value);
