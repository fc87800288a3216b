#include "config/login_keys.h"

#include "config/store_keys.h"
#include "config/user_limit_keys.h"

#include <stdlib.h>

#include "core/mail/mailbox.h"

static bool is_pattern(struct str text)
{
    struct mailbox mailbox;
    struct domain domain;
    bool whole_domain = text.len > 1 && text.ptr[0] == '@';
    return str_eq(text, STR("*")) || (whole_domain ? domain_parse(str_tail(text, 1), &domain)
                                                   : mailbox_parse(text, &mailbox) == MAILBOX_OK);
}

static void read_patterns(struct reader *r, const yaml_node_t *value, struct config_send_as *rule)
{
    struct node_list list = node_list(r, value);
    struct str text;
    rule->patterns = arena_array(&r->config->arena, list.count + 1, sizeof *rule->patterns);
    for (const yaml_node_t *node; rule->patterns && (node = node_next(&list));) {
        if (!node_copy(r, node, "an address", &text)) {
            continue;
        }
        if (is_pattern(text)) {
            rule->patterns[rule->pattern_count++] = text;
        } else {
            node_wrong(r, node, "expected an address, \"@domain\" for all of it, or \"*\"");
        }
    }
}

/* `own`, `any`, or a map from users to what else they may write as. */
static void read_send_as(struct reader *r, const yaml_node_t *value, const struct key *key,
                         void *into)
{
    struct config *c = r->config;
    struct node_map map;
    struct str text;
    const yaml_node_t *name, *patterns;
    (void)key;
    (void)into;
    if (value->type == YAML_SCALAR_NODE) {
        if (node_text(r, value, "own, any, or a map", &text)) {
            c->send_as_any = str_eq(text, STR("any"));
            if (!c->send_as_any && !str_eq(text, STR("own"))) {
                node_wrong(r, value, "expected own, any, or a map from users to addresses");
            }
        }
        return;
    }
    if (!node_map(r, value, "own, any, or a map from users to addresses", &map)) {
        return;
    }
    c->send_as = arena_array(&c->arena, (size_t)(map.end - map.first) + 1, sizeof *c->send_as);
    while (c->send_as && node_map_next(&map, &name, &patterns)) {
        struct config_send_as *rule = &c->send_as[c->send_as_count++];
        rule->user = arena_copy(&c->arena, key_text(name));
        read_patterns(r, patterns, rule);
    }
}

static void wrong_mechanism(struct reader *r, const yaml_node_t *node, struct str text)
{
    const char *names[SASL_KINDS + 1] = {NULL};
    for (size_t i = 0; i < SASL_KINDS; i++) {
        names[i] = sasl_mechanisms[i].name.ptr;
    }
    const char *near = nearest_word(text, names);
    node_wrong(r, node, "no mechanism of ours: \"%.*s\"%s%s%s", STR_ARG(str_head(text, 60)),
               near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static void read_mechanisms(struct reader *r, const yaml_node_t *value, const struct key *key,
                            void *into)
{
    struct node_list list = node_list(r, value);
    sasl_set set = 0;
    struct str text;
    (void)key;
    for (const yaml_node_t *node; (node = node_next(&list));) {
        if (!node_text(r, node, "a mechanism", &text)) {
            continue;
        }
        enum sasl_kind kind = sasl_find(text);
        if (kind == SASL_KINDS) {
            wrong_mechanism(r, node, text);
        } else {
            set |= SASL_ONE(kind);
        }
    }
    if (list.count == 0) {
        node_wrong(r, value, "expected at least one mechanism");
    }
    *(sasl_set *)into = set;
}

static const char *const author_checks[] = {"check", "log", "off", NULL};

static const struct key login_keys[] = {
    {.name = "file", .read = read_users_file},
    {.name = "stores", .read = read_stores},
    {.name = "mechanisms", .read = read_mechanisms, .offset = offsetof(struct config, mechanisms)},
    {.name = "send_as", .read = read_send_as},
    {.name = "send_as_header",
     .read = read_choice,
     .words = author_checks,
     .offset = offsetof(struct config, author_check)},
    {.name = "limits", .read = read_user_limits},
    {0},
};

static const sasl_set by_token = SASL_ONE(SASL_OAUTHBEARER) | SASL_ONE(SASL_XOAUTH2);

static bool has_store(const struct config *c, bool (*is)(const struct config_store *store))
{
    for (size_t i = 0; i < c->store_count; i++) {
        if (is(&c->stores[i])) {
            return true;
        }
    }
    return false;
}

static bool is_of_tokens(const struct config_store *store)
{
    return store->kind == STORE_INTROSPECTION;
}

static bool is_of_passwords(const struct config_store *store)
{
    return !is_of_tokens(store);
}

static bool is_of_hashes(const struct config_store *store)
{
    return is_of_passwords(store) && store->kind != STORE_FILE;
}

/* SCRAM needs more than a hash, and many a store has no more, or not even that: a client that was
 * offered it would fail with the right password. */
static sasl_set usual_mechanisms(const struct config *c)
{
    sasl_set set = has_store(c, is_of_tokens) ? by_token : 0;
    if (has_store(c, is_of_hashes)) {
        set |= SASL_ONE(SASL_PLAIN) | SASL_ONE(SASL_LOGIN);
    } else if (has_store(c, is_of_passwords)) {
        set |= SASL_ALL & ~by_token;
    }
    return set;
}

void read_logins(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    (void)key;
    (void)into;
    read_keys(r, value, login_keys, r->config);
    if (r->config->mechanisms == 0) {
        r->config->mechanisms = usual_mechanisms(r->config);
    } else if ((r->config->mechanisms & by_token) != 0 && !has_store(r->config, is_of_tokens)) {
        node_wrong(r, value, "OAUTHBEARER and XOAUTH2 need a store that is an `introspection`");
    }
}
