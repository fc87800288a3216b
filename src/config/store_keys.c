#include "config/store_keys.h"

enum { STORES_MAX = 16 };
#define USUAL_TIMEOUT SPAN_S(5)

static const char *const kind_words[] = {
    [STORE_FILE] = "file", [STORE_SQLITE] = "sqlite", [STORE_POSTGRESQL] = "postgresql",
    [STORE_LDAP] = "ldap", [STORE_PAM] = "pam",       [STORE_DOVECOT] = "dovecot",
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

#define OF(field) .offset = offsetof(struct reading, store.field)
static const struct key store_keys[] = {
    {.name = "file", .read = read_place},
    {.name = "sqlite", .read = read_place},
    {.name = "query", .read = read_text, OF(query)},
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

static const char *lacks(const struct config_store *store)
{
    bool asks = store->kind == STORE_SQLITE || store->kind == STORE_POSTGRESQL;
    if (asks != (store->query.len > 0)) {
        return asks ? "this store needs a `query`" : "`query` is for sqlite and postgresql";
    }
    return NULL;
}

static void add(struct reader *r, const struct config_store *store)
{
    struct config *c = r->config;
    if (!c->stores) {
        c->stores = arena_array(&c->arena, STORES_MAX + 1, sizeof *c->stores);
    }
    if (c->stores) {
        struct config_store *added = &c->stores[c->store_count++];
        *added = *store;
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
        struct reading reading = {.store.timeout = USUAL_TIMEOUT};
        size_t before = r->problems->errors;
        read_keys(r, node, store_keys, &reading);
        const char *missing = lacks(&reading.store);
        if (r->problems->errors != before) {
            continue;
        }
        if (reading.kinds != 1) {
            node_wrong(r, node, "a store is one of file, sqlite");
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
