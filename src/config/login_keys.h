/* login_keys.h: the section `users`: who may log in, and write as whom. */
#pragma once

#include "config/reader.h"

void read_logins(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);
