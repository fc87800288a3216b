#include "config/tls_keys.h"

#include "config/domain_keys.h"
#include "core/base/buf.h"
#include "core/mail/domain.h"

enum { CERTIFICATES_MAX = 64, RULES_MAX = 10000 };

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

static void read_match(struct reader *r, const yaml_node_t *value, const struct key *key,
                       void *into)
{
    struct config_tls_rule *rule = into;
    (void)key;
    read_domain_pattern(r, value, &rule->match);
}

/* Certificates bear A-labels, and so must what they are compared with. */
static void read_names(struct reader *r, const yaml_node_t *value, const struct key *key,
                       void *into)
{
    struct config_tls_rule *rule = into;
    struct node_list list = node_list(r, value);
    struct buf names = {0};
    struct str text;
    (void)key;
    for (const yaml_node_t *node; (node = node_next(&list));) {
        struct domain domain;
        if (!node_text(r, node, "a host's name", &text)) {
            continue;
        }
        struct str name = str_tail(text, str_starts(text, STR(".")) ? 1 : 0);
        if (!domain_parse(name, &domain) || domain.kind != DOMAIN_NAME || domain.utf8) {
            node_wrong(r, node, "expected a host's name, as certificates bear it");
        }
        buf_add(&names, names.len > 0 ? STR(" ") : STR(""));
        buf_add(&names, text);
    }
    rule->policy.names = arena_copy(&r->config->arena, buf_str(&names));
    buf_done(&names);
}

static int hex_value(char c)
{
    size_t place = str_find(STR("0123456789abcdef"), ascii_lower(c));
    return place == STR_NONE ? -1 : (int)place;
}

/* Hexadecimal, with or without colons. */
static bool add_fingerprint(struct buf *out, struct str text)
{
    int high = -1;
    size_t count = 0;
    text = str_tail(text, str_starts_nocase(text, STR("sha256:")) ? 7 : 0);
    for (size_t i = 0; i < text.len; i++) {
        int value = hex_value(text.ptr[i]);
        if (value < 0 && (text.ptr[i] != ':' || high >= 0)) {
            return false;
        }
        if (value >= 0 && high >= 0) {
            buf_add_char(out, (char)(high * 16 + value));
            high = -1;
            count++;
        } else if (value >= 0) {
            high = value;
        }
    }
    return high < 0 && count == TLS_FINGERPRINT_SIZE;
}

static void read_fingerprints(struct reader *r, const yaml_node_t *value, const struct key *key,
                              void *into)
{
    struct config_tls_rule *rule = into;
    struct node_list list = node_list(r, value);
    struct buf octets = {0};
    struct str text;
    (void)key;
    for (const yaml_node_t *node; (node = node_next(&list));) {
        if (node_text(r, node, "a fingerprint", &text) && !add_fingerprint(&octets, text)) {
            node_wrong(r, node,
                       "expected the SHA-256 of a certificate or a public key: 64 "
                       "hexadecimal digits");
        }
    }
    rule->policy.fingerprints = arena_copy(&r->config->arena, buf_str(&octets));
    buf_done(&octets);
}

static const char *const levels[] = {"may", "none", "encrypt", "verify", "fingerprint", NULL};
static const struct key rule_keys[] = {
    {.name = "match", .read = read_match},
    {.name = "policy",
     .read = read_choice,
     .offset = offsetof(struct config_tls_rule, policy.level),
     .words = levels},
    {.name = "names", .read = read_names},
    {.name = "fingerprints", .read = read_fingerprints},
    {0},
};

static void check_rule(struct reader *r, const yaml_node_t *node,
                       const struct config_tls_rule *rule)
{
    bool prints = rule->policy.fingerprints.len > 0;
    if (rule->match.len == 0) {
        node_wrong(r, node, "a rule needs `match` and `policy`");
    } else if (prints != (rule->policy.level == TLS_FINGERPRINT)) {
        node_wrong(r, node, "`policy: fingerprint` and `fingerprints` need each other");
    } else if (rule->policy.names.len > 0 && rule->policy.level != TLS_VERIFY) {
        node_wrong(r, node, "`names` are looked at with `policy: verify` only");
    }
}

void read_tls_rules(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    struct config *c = r->config;
    struct node_list list = node_list(r, value);
    (void)key;
    (void)into;
    if (list.count > RULES_MAX) {
        node_wrong(r, value, "more than %d rules", RULES_MAX);
        return;
    }
    c->tls_rules = arena_array(&c->arena, list.count + 1, sizeof *c->tls_rules);
    c->tls_rule_count = 0;
    for (const yaml_node_t *node; c->tls_rules && (node = node_next(&list));) {
        struct config_tls_rule *rule = &c->tls_rules[c->tls_rule_count++];
        size_t before = r->problems->errors;
        read_keys(r, node, rule_keys, rule);
        if (r->problems->errors == before) {
            check_rule(r, node, rule);
        }
    }
}
