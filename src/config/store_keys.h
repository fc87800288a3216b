/* store_keys.h: the list `users: {stores: […]}`: where users who may log in are kept. */
#pragma once

#include "config/reader.h"

void read_stores(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);
/* `users: {file: …}`: a store that comes before all others. */
void read_users_file(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);
