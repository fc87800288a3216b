/* tls_keys.h: the section `tls`. */
#pragma once

#include "config/reader.h"

/* A list of {certificate: FILE, key: FILE}; without `key` the certificate's file holds both. */
void read_certificates(struct reader *r, const yaml_node_t *value, const struct key *key,
                       void *into);
/* `deliver.tls`: a list of {match, policy, names, fingerprints}. */
void read_tls_rules(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);
