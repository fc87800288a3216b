/* queue.h: what `sendmail -bp` and `-q` share with `postrider queue`. */
#pragma once

#include "config/config.h"

/* Prints the whole queue; returns an exit code. */
int queue_print(const struct config *config);
/* Has everything tried now. */
int queue_retry_all(const struct config *config);
