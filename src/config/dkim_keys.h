/* dkim_keys.h: the section `dkim`. */
#pragma once

#include "config/reader.h"

/* A list of {domain, selector, key, subdomains, use, expire, fields}. */
void read_dkim_keys(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);
