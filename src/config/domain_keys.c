#include "config/domain_keys.h"

#include "config/aliases.h"
#include "config/place.h"
#include "config/users.h"
#include "config/written.h"
#include "core/dns/idn.h"
#include "core/mail/domain.h"

#include <stdlib.h>

/* A domain while it is read: the field `given` tells what check.c and the end need to know. */
struct domain_reading {
    struct config_domain domain;
    struct str aliases_file;
    const yaml_node_t *at;
};

static void read_mailboxes(struct reader *r, const yaml_node_t *value, const struct key *key,
                           void *into)
{
    struct domain_reading *d = into;
    const char *reason = NULL;
    struct str text;
    (void)key;
    if (!node_text(r, value, "a place like maildir:/srv/mail/{domain}/{local}/", &text)) {
        return;
    }
    if (!place_parse_mailboxes(text, &r->config->arena, &d->domain.mailboxes, &reason)) {
        node_wrong(r, value, "%s", reason ? reason : "not enough memory");
        return;
    }
    struct str path = d->domain.mailboxes.path;
    if (path.len > 0 && path.ptr[0] != '/' && d->domain.mailboxes.kind != MAILBOX_SYSTEM) {
        d->domain.mailboxes.path = absolute_path(r, path);
    }
}

static int by_local(const void *a, const void *b)
{
    return str_cmp(((const struct config_user *)a)->local, ((const struct config_user *)b)->local);
}

static void add_user(struct reader *r, const yaml_node_t *node, struct config_domain *domain)
{
    struct written_address user;
    const char *reason = NULL;
    struct str text;
    if (!node_text(r, node, "a local part", &text)) {
        return;
    }
    if (str_eq(text, STR("*"))) {
        domain->any_user = true;
    } else if (!written_address_parse(text, &r->config->arena, &user, &reason)) {
        node_wrong(r, node, "%s", reason ? reason : "not enough memory");
    } else if (user.domain.len > 0) {
        node_wrong(r, node, "only the part before the @: the domain is said above");
    } else {
        domain->users[domain->user_count++].local = user.local;
    }
}

static void read_users(struct reader *r, const yaml_node_t *value, const struct key *key,
                       void *into)
{
    struct config_domain *domain = &((struct domain_reading *)into)->domain;
    struct str text;
    (void)key;
    if (value->type == YAML_SCALAR_NODE && node_text(r, value, "users", &text) &&
        !str_eq(text, STR("*"))) {
        struct str file;
        if (node_file(r, value, "a file of users, or a list", &file) && !r->source->text_only) {
            users_load(file, node_place(r, value), &r->config->arena, domain, r->problems);
        }
        return;
    }
    struct node_list list = node_list(r, value);
    domain->users = arena_array(&r->config->arena, list.count + 1, sizeof *domain->users);
    if (!domain->users) {
        node_wrong(r, value, "not enough memory");
        return;
    }
    for (const yaml_node_t *node; (node = node_next(&list));) {
        add_user(r, node, domain);
    }
    qsort(domain->users, domain->user_count, sizeof *domain->users, by_local);
}

static void read_catch_all(struct reader *r, const yaml_node_t *value, const struct key *key,
                           void *into)
{
    struct config_domain *domain = &((struct domain_reading *)into)->domain;
    struct written_address address;
    const char *reason = NULL;
    struct str text;
    (void)key;
    if (!node_text(r, value, "an address", &text)) {
        return;
    }
    if (!written_address_parse(text, &r->config->arena, &address, &reason)) {
        node_wrong(r, value, "%s", reason ? reason : "not enough memory");
        return;
    }
    domain->catch_all = address.text;
}

static void read_tag_separator(struct reader *r, const yaml_node_t *value, const struct key *key,
                               void *into)
{
    struct config_domain *domain = &((struct domain_reading *)into)->domain;
    struct str text;
    (void)key;
    if (!node_text(r, value, "one character, or none", &text)) {
        return;
    }
    if (str_eq_nocase(text, STR("none"))) {
        domain->tag_separator = '\0';
    } else if (text.len == 1 && str_find(STR("+-_=.#~"), text.ptr[0]) != STR_NONE) {
        domain->tag_separator = text.ptr[0];
    } else {
        node_wrong(r, value, "expected one of + - _ = . # ~, or none");
    }
}

static void read_aliases(struct reader *r, const yaml_node_t *value, const struct key *key,
                         void *into)
{
    (void)key;
    (void)!node_file(r, value, "a file of aliases", &((struct domain_reading *)into)->aliases_file);
}

static const struct key domain_keys[] = {
    {.name = "mailboxes", .read = read_mailboxes},
    {.name = "users", .read = read_users},
    {.name = "aliases", .read = read_aliases},
    {.name = "catch_all", .read = read_catch_all},
    {.name = "tag_separator", .read = read_tag_separator},
    {0},
};

static bool read_domain_name(struct reader *r, const yaml_node_t *key, struct str *name)
{
    struct buf ascii = {0};
    struct domain parsed;
    struct str text = key_text(key);
    bool fine = idn_to_ascii(&ascii, text) && domain_parse(buf_str(&ascii), &parsed) &&
                parsed.kind == DOMAIN_NAME;
    if (fine) {
        *name = arena_copy(&r->config->arena, buf_str(&ascii));
    } else if (str_eq(text, STR("*"))) {
        node_wrong(r, key, "\"*\" would take mail for all the world: list your own domains");
    } else {
        node_wrong(r, key, "this is no domain name");
    }
    buf_done(&ascii);
    return fine && name->ptr;
}

static void check_users(struct reader *r, const struct domain_reading *d)
{
    const struct config_domain *domain = &d->domain;
    if (domain->mailboxes.kind == MAILBOX_SYSTEM) {
        return; /* config_find_system_users() */
    }
    if (!domain->any_user && domain->user_count == 0 && domain->alias_count == 0 &&
        domain->catch_all.len == 0) {
        config_problem(r->problems, true, node_place(r, d->at),
                       "nobody but postmaster gets mail at %.*s: give `users` (a list, a file, or "
                       "[\"*\"] for any) or `aliases`",
                       STR_ARG(domain->name));
    }
}

static bool read_domain(struct reader *r, const yaml_node_t *key, const yaml_node_t *value,
                        struct config_domain *out)
{
    struct domain_reading d = {.domain = {.tag_separator = '+'}, .at = key};
    const char *reason = NULL;
    if (!read_domain_name(r, key, &d.domain.name)) {
        return false;
    }
    (void)!place_parse_mailboxes(STR("maildir:/var/mail/{domain}/{local}/"), &r->config->arena,
                                 &d.domain.mailboxes, &reason);
    read_keys(r, value, domain_keys, &d);
    if (d.aliases_file.len > 0 && !r->source->text_only) {
        struct str catch_all = d.domain.catch_all;
        aliases_load(d.aliases_file, node_place(r, value), &r->config->arena, &d.domain,
                     r->problems);
        d.domain.catch_all = catch_all.len > 0 ? catch_all : d.domain.catch_all;
    }
    if (!r->source->text_only) {
        check_users(r, &d);
    }
    *out = d.domain;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct config_domain *)a)->name,
                   ((const struct config_domain *)b)->name);
}

void read_domains(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    struct config *c = r->config;
    struct node_map map;
    const yaml_node_t *name;
    const yaml_node_t *keys;
    (void)key;
    (void)into;
    if (!node_map(r, value, "domains, each with its keys", &map)) {
        return;
    }
    c->domains = arena_array(&c->arena, (size_t)(map.end - map.first) + 1, sizeof *c->domains);
    while (c->domains && node_map_next(&map, &name, &keys)) {
        c->domain_count += read_domain(r, name, keys, &c->domains[c->domain_count]);
    }
    if (!c->domains) {
        node_wrong(r, value, "not enough memory");
        return;
    }
    qsort(c->domains, c->domain_count, sizeof *c->domains, by_name);
    for (size_t i = 1; i < c->domain_count; i++) {
        if (str_eq(c->domains[i - 1].name, c->domains[i].name)) {
            node_wrong(r, value, "%.*s is here twice, in two spellings",
                       STR_ARG(c->domains[i].name));
        }
    }
}

void read_domain_pattern(struct reader *r, const yaml_node_t *value, struct str *into)
{
    struct buf ascii = {0};
    struct domain domain;
    struct str text;
    if (!node_text(r, value, "a domain, .domain for its subdomains, or *", &text)) {
        *into = STR("?"); /* told already */
        return;
    }
    bool dot = str_starts(text, STR("."));
    if (str_eq(text, STR("*"))) {
        *into = STR("*");
    } else if (idn_to_ascii(&ascii, str_tail(text, dot ? 1 : 0)) &&
               domain_parse(buf_str(&ascii), &domain) && (domain.kind == DOMAIN_NAME || !dot)) {
        *into = arena_format(&r->config->arena, "%s%.*s", dot ? "." : "", STR_ARG(buf_str(&ascii)));
    } else {
        node_wrong(r, value, "expected a domain, .domain for its subdomains, or *, not \"%.*s\"",
                   STR_ARG(str_head(text, 80)));
        *into = STR("?");
    }
    buf_done(&ascii);
}

static void read_match(struct reader *r, const yaml_node_t *value, const struct key *key,
                       void *into)
{
    struct config_transport *t = into;
    (void)key;
    read_domain_pattern(r, value, &t->match);
}

static void read_to(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    struct config_transport *t = into;
    const char *reason = NULL;
    struct str text;
    (void)key;
    if (node_text(r, value, "a place like smtp://smarthost.example:587", &text) &&
        !place_parse_transport(text, &r->config->arena, t, &reason)) {
        node_wrong(r, value, "%s", reason ? reason : "not enough memory");
    }
}

static const struct key transport_keys[] = {
    {.name = "match", .read = read_match},
    {.name = "to", .read = read_to},
    {0},
};

void read_transports(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    struct config *c = r->config;
    struct node_list list = node_list(r, value);
    (void)key;
    (void)into;
    c->transports = arena_array(&c->arena, list.count + 1, sizeof *c->transports);
    for (const yaml_node_t *node; c->transports && (node = node_next(&list));) {
        struct config_transport *t = &c->transports[c->transport_count++];
        size_t before = r->problems->errors;
        t->kind = TRANSPORT_MX;
        read_keys(r, node, transport_keys, t);
        if (r->problems->errors == before && t->match.len == 0) {
            node_wrong(r, node, "a transport needs `match` and `to`");
        }
    }
}

static void read_address(struct reader *r, const yaml_node_t *value, const struct key *key,
                         void *into)
{
    struct config_listen *listen = into;
    struct str text;
    (void)key;
    if (!node_text(r, value, "an address and port like 0.0.0.0:25 or [::]:25", &text)) {
        return;
    }
    if (str_starts(text, STR("unix:"))) {
        listen->local_path = absolute_path(r, str_tail(text, 5));
    } else if (!endpoint_parse(text, &listen->at) || listen->at.port == 0) {
        node_wrong(r, value,
                   "expected an address and port like 0.0.0.0:25 or [::]:25, not \"%.*s\"",
                   STR_ARG(str_head(text, 60)));
    }
}

static const char *const listen_modes[] = {"mx", "submission", "lmtp", NULL};
static const char *const listen_tls[] = {"starttls", "implicit", "none", NULL};
static const struct key listen_keys[] = {
    {.name = "address", .read = read_address},
    {.name = "mode",
     .read = read_choice,
     .offset = offsetof(struct config_listen, kind.mode),
     .words = listen_modes},
    {.name = "tls",
     .read = read_choice,
     .offset = offsetof(struct config_listen, kind.tls),
     .words = listen_tls},
    {0},
};

void read_listens(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    struct config *c = r->config;
    struct node_list list = node_list(r, value);
    (void)into;
    c->listens = arena_array(&c->arena, list.count + 1, sizeof *c->listens);
    c->listen_count = 0;
    for (const yaml_node_t *node; c->listens && (node = node_next(&list));) {
        struct config_listen *listen = &c->listens[c->listen_count++];
        size_t before = r->problems->errors;
        if (node->type == YAML_SCALAR_NODE) {
            read_address(r, node, key, listen);
        } else {
            read_keys(r, node, listen_keys, listen);
        }
        if (r->problems->errors == before && listen->at.port == 0 && listen->local_path.len == 0) {
            node_wrong(r, node, "a listener needs an `address`");
        }
    }
}
