#include "config/tls_keys.h"

enum { CERTIFICATES_MAX = 64 };

static const struct key pair_keys[] = {
    {.name = "certificate",
     .read = read_file_name,
     .offset = offsetof(struct config_certificate, chain)},
    {.name = "key", .read = read_file_name, .offset = offsetof(struct config_certificate, key)},
    {0},
};

void read_certificates(struct reader *r, const yaml_node_t *value, const struct key *key,
                       void *into)
{
    struct config *c = r->config;
    struct node_list list = node_list(r, value);
    (void)key;
    (void)into;
    if (list.count > CERTIFICATES_MAX) {
        node_wrong(r, value, "more than %d certificates", CERTIFICATES_MAX);
        return;
    }
    c->certificates = arena_array(&c->arena, list.count + 1, sizeof *c->certificates);
    c->certificate_count = 0;
    for (const yaml_node_t *node; c->certificates && (node = node_next(&list));) {
        struct config_certificate *pair = &c->certificates[c->certificate_count++];
        size_t before = r->problems->errors;
        read_keys(r, node, pair_keys, pair);
        if (r->problems->errors == before && pair->chain.len == 0) {
            node_wrong(r, node, "expected {certificate: FILE, key: FILE}");
        }
        pair->key = pair->key.len > 0 ? pair->key : pair->chain;
    }
}
