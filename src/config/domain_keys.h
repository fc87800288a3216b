/* domain_keys.h: the maps `domains`, `transports` and `listen` of the configuration, for this
 * folder alone. */
#pragma once

#include "config/reader.h"

void read_domains(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);
/* Whose mail a rule is for: "*", a domain in A-labels, or one with a dot before it. */
void read_domain_pattern(struct reader *r, const yaml_node_t *value, struct str *into);
void read_transports(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);
void read_listens(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);
