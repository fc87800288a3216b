#include "config/store_keys.h"

enum { STORES_MAX = CONFIG_STORES_MAX - 1 };
#define USUAL_TIMEOUT SPAN_S(5)
#define USUAL_CACHE SPAN_S(60)
#define NOT_GIVEN ((struct span){-1})

static const char *const kind_words[] = {
    [STORE_FILE] = "file",
    [STORE_SQLITE] = "sqlite",
    [STORE_POSTGRESQL] = "postgresql",
    [STORE_LDAP] = "ldap",
    [STORE_PAM] = "pam",
    [STORE_DOVECOT] = "dovecot",
    [STORE_INTROSPECTION] = "introspection",
};

/* While an item of the list is read: which kinds it names. */
struct reading {
    struct config_store store;
    unsigned kinds;
};

static enum store_kinds kind_of(const struct key *key)
{
    unsigned kind = 0;
    while (kind < STORE_KINDS - 1 &&
           !str_eq(str_from_cstr(key->name), str_from_cstr(kind_words[kind]))) {
        kind++;
    }
    return (enum store_kinds)kind;
}

static void read_place(struct reader *r, const yaml_node_t *value, const struct key *key,
                       void *into)
{
    struct reading *reading = into;
    enum store_kinds kind = kind_of(key);
    bool is_path = kind == STORE_FILE || kind == STORE_SQLITE || kind == STORE_DOVECOT;
    struct str text;
    if (!node_copy(r, value, "where the users are kept", &text)) {
        return;
    }
    if (text.len == 0) {
        node_wrong(r, value, "expected where the users are kept");
    }
    reading->kinds++;
    reading->store.kind = kind;
    reading->store.place = is_path ? absolute_path(r, text) : text;
}

static void read_text(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    (void)key;
    (void)!node_copy(r, value, "a text", into);
}

/* Not among the files that the worker may read. */
static void read_secret_file(struct reader *r, const yaml_node_t *value, const struct key *key,
                             void *into)
{
    struct str text;
    (void)key;
    if (node_text(r, value, "a file's path", &text)) {
        *(struct str *)into = absolute_path(r, text);
    }
}

#define OF(field) .offset = offsetof(struct reading, store.field)
static const char *const starttls_words[] = {"no", "yes", NULL};
static const struct key store_keys[] = {
    {.name = "file", .read = read_place},
    {.name = "sqlite", .read = read_place},
    {.name = "postgresql", .read = read_place},
    {.name = "ldap", .read = read_place},
    {.name = "pam", .read = read_place},
    {.name = "dovecot", .read = read_place},
    {.name = "introspection", .read = read_place},
    {.name = "query", .read = read_text, OF(query)},
    {.name = "base", .read = read_text, OF(base)},
    {.name = "filter", .read = read_text, OF(filter)},
    {.name = "bind_dn", .read = read_text, OF(bind_dn)},
    {.name = "password_file", .read = read_secret_file, OF(password_file)},
    {.name = "dn", .read = read_text, OF(dn)},
    {.name = "authorities", .read = read_secret_file, OF(authorities)},
    {.name = "starttls", .read = read_choice, OF(tls), .words = starttls_words},
    {.name = "client_id", .read = read_text, OF(client_id)},
    {.name = "claim", .read = read_text, OF(claim)},
    {.name = "scope", .read = read_text, OF(scope)},
    {.name = "audience", .read = read_text, OF(audience)},
    {.name = "issuer", .read = read_text, OF(issuer)},
    {.name = "openid_configuration", .read = read_text, OF(discovery)},
    {.name = "cache", .read = read_span, OF(cache)},
    {.name = "timeout", .read = read_span, OF(timeout), .least = 1},
    {0},
};

/* For people and the log, so without what may be a password. */
static struct str name_of(struct reader *r, const struct config_store *store)
{
    const char *word = kind_words[store->kind];
    bool secret = store->kind == STORE_POSTGRESQL;
    return arena_format(&r->config->arena, "%s%s%.*s", word, secret ? "" : ":",
                        STR_ARG(secret ? STR("") : store->place));
}

static bool names_user(struct str template)
{
    return str_find_str(template, STR("{user}")) != STR_NONE ||
           str_find_str(template, STR("{local}")) != STR_NONE;
}

static const char *lacks_of_ldap(const struct config_store *store)
{
    bool searches = store->base.len > 0 || store->filter.len > 0;
    if (searches == (store->dn.len > 0)) {
        return "this store needs `base` and `filter`, or `dn`";
    }
    if (!names_user(searches ? store->filter : store->dn)) {
        return "{user} or {local} must stand in `filter` or `dn`: else everybody is the same user";
    }
    if ((store->bind_dn.len > 0) != (store->password_file.len > 0)) {
        return "`bind_dn` and `password_file` need each other";
    }
    if (!str_starts(store->place, STR("ldap://")) && !str_starts(store->place, STR("ldaps://")) &&
        !str_starts(store->place, STR("ldapi://"))) {
        return "expected a URL like ldaps://ldap.example.org";
    }
    return NULL;
}

static const char *lacks_of_introspection(const struct config_store *store)
{
    if (!str_starts(store->place, STR("https://"))) {
        return "expected a URL that begins with https://";
    }
    if ((store->client_id.len > 0) != (store->password_file.len > 0)) {
        return "`client_id` and `password_file` need each other";
    }
    return NULL;
}

/* Which keys are of which kinds: a key that is given to another would be without meaning. */
static const char *misplaced(const struct config_store *s)
{
    bool of_ldap = s->base.len + s->filter.len + s->dn.len + s->bind_dn.len > 0;
    bool of_tokens = s->client_id.len + s->scope.len + s->audience.len + s->issuer.len +
                         s->discovery.len + s->claim.len >
                     0;
    bool of_both = s->password_file.len + s->authorities.len > 0;
    if ((of_ldap || s->tls != STORE_TLS_NO) && s->kind != STORE_LDAP) {
        return "`base`, `filter`, `dn`, `bind_dn` and `starttls` are for ldap";
    }
    if ((of_tokens || s->cache.us >= 0) && s->kind != STORE_INTROSPECTION) {
        return "`client_id`, `claim`, `scope`, `audience`, `issuer`, `openid_configuration` and "
               "`cache` are for introspection";
    }
    if (of_both && s->kind != STORE_LDAP && s->kind != STORE_INTROSPECTION) {
        return "`password_file` and `authorities` are for ldap and introspection";
    }
    return NULL;
}

static const char *lacks(const struct config_store *store)
{
    bool asks = store->kind == STORE_SQLITE || store->kind == STORE_POSTGRESQL;
    if (asks != (store->query.len > 0)) {
        return asks ? "this store needs a `query`" : "`query` is for sqlite and postgresql";
    }
    const char *wrong = misplaced(store);
    return wrong                                ? wrong
           : store->kind == STORE_LDAP          ? lacks_of_ldap(store)
           : store->kind == STORE_INTROSPECTION ? lacks_of_introspection(store)
                                                : NULL;
}

static void add(struct reader *r, const struct config_store *store)
{
    struct config *c = r->config;
    if (!c->stores) {
        c->stores = arena_array(&c->arena, CONFIG_STORES_MAX, sizeof *c->stores);
    }
    if (c->stores) {
        struct config_store *added = &c->stores[c->store_count++];
        *added = *store;
        added->cache = added->cache.us < 0 ? USUAL_CACHE : added->cache;
        added->claim = added->claim.len > 0 ? added->claim : STR("username");
        added->name = name_of(r, store);
        if (store->kind == STORE_FILE && c->users_file.len == 0) {
            c->users_file = store->place;
        }
    }
}

void read_stores(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    struct node_list list = node_list(r, value);
    (void)key;
    (void)into;
    if (list.count > STORES_MAX) {
        node_wrong(r, value, "more than %d stores", STORES_MAX);
        return;
    }
    for (const yaml_node_t *node; (node = node_next(&list));) {
        struct reading reading = {.store = {.timeout = USUAL_TIMEOUT, .cache = NOT_GIVEN}};
        size_t before = r->problems->errors;
        read_keys(r, node, store_keys, &reading);
        const char *missing = lacks(&reading.store);
        if (r->problems->errors != before) {
            continue;
        }
        if (reading.kinds != 1) {
            node_wrong(
                r, node,
                "a store is one of file, sqlite, postgresql, ldap, pam, dovecot, introspection");
        } else if (missing) {
            node_wrong(r, node, "%s", missing);
        } else {
            add(r, &reading.store);
        }
    }
}

/* Whatever the order in which the keys stand. */
void read_users_file(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    struct config *c = r->config;
    struct config_store store = {.kind = STORE_FILE, .timeout = USUAL_TIMEOUT};
    struct str text;
    (void)key;
    (void)into;
    if (!node_text(r, value, "a file's path", &text) || text.len == 0) {
        node_wrong(r, value, "expected a file's path");
        return;
    }
    store.place = absolute_path(r, text);
    c->users_file = store.place;
    add(r, &store);
    for (size_t i = c->store_count; c->stores && i-- > 1;) {
        struct config_store last = c->stores[i];
        c->stores[i] = c->stores[i - 1];
        c->stores[i - 1] = last;
    }
}
