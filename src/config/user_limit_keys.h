/* user_limit_keys.h: `users.limits`: what a user who logs in may send. */
#pragma once

#include "config/reader.h"

void read_user_limits(struct reader *r, const yaml_node_t *value, const struct key *key,
                      void *into);
