#include "config/dkim_keys.h"

#include "core/base/buf.h"
#include "core/dns/idn.h"
#include "core/mail/domain.h"

enum { DKIM_KEYS_MAX = 4096, DKIM_FIELDS_MAX = 100 };

/* In A-labels; "a.b" is a selector too. */
static void read_name(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    struct buf ascii = {0};
    struct domain domain;
    struct str text;
    (void)key;
    if (node_text(r, value, "a name", &text)) {
        if (idn_to_ascii(&ascii, text) && domain_parse(buf_str(&ascii), &domain) &&
            domain.kind == DOMAIN_NAME) {
            *(struct str *)into = arena_lower(&r->config->arena, buf_str(&ascii));
        } else {
            node_wrong(r, value, "expected a name of the DNS");
        }
    }
    buf_done(&ascii);
}

static bool is_field_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!ascii_is_print(name.ptr[i]) || name.ptr[i] == ' ' || name.ptr[i] == ':' ||
            name.ptr[i] == ';') {
            return false;
        }
    }
    return name.len > 0 && name.len <= 70 && !str_eq_nocase(name, STR("DKIM-Signature"));
}

static void read_fields(struct reader *r, const yaml_node_t *value, const struct key *key,
                        void *into)
{
    struct config_dkim_key *dkim = into;
    struct node_list list = node_list(r, value);
    struct buf names = {0};
    struct str name;
    bool from = false;
    (void)key;
    if (list.count > DKIM_FIELDS_MAX) {
        node_wrong(r, value, "more than %d header fields", DKIM_FIELDS_MAX);
        return;
    }
    for (const yaml_node_t *node; (node = node_next(&list));) {
        if (!node_text(r, node, "a header field's name", &name)) {
            continue;
        }
        if (!is_field_name(name)) {
            node_wrong(r, node, "expected a header field's name");
        }
        from = from || str_eq_nocase(name, STR("From"));
        buf_join(&names, names.len > 0 ? STR(":") : STR(""), name);
    }
    if (!from) {
        node_wrong(r, value, "From must be signed (RFC 6376 5.4)");
    }
    dkim->fields = arena_copy(&r->config->arena, buf_str(&names));
    buf_done(&names);
}

/* Not one of the configuration's files: the worker's fence opens their folders, and not this one.
 */
static void read_key_file(struct reader *r, const yaml_node_t *value, const struct key *key,
                          void *into)
{
    struct str text;
    (void)key;
    if (node_text(r, value, "a file's path", &text) && text.len > 0) {
        *(struct str *)into = absolute_path(r, text);
    }
}

#define AT(field) .offset = offsetof(struct config_dkim_key, field)
static const char *const below[] = {"sign", "never", NULL};
static const char *const uses[] = {"mail", "tls_reports", NULL};
static const struct key dkim_keys[] = {
    {.name = "domain", .read = read_name, AT(domain)},
    {.name = "selector", .read = read_name, AT(selector)},
    {.name = "key", .read = read_key_file, AT(file)},
    {.name = "subdomains", .read = read_choice, AT(subdomains), .words = below},
    {.name = "use", .read = read_choice, AT(use), .words = uses},
    {.name = "expire", .read = read_span, AT(expire)},
    {.name = "fields", .read = read_fields},
    {0},
};

static void check_key(struct reader *r, const yaml_node_t *node, const struct config_dkim_key *key)
{
    const struct config *c = r->config;
    if (key->domain.len == 0 || key->selector.len == 0 || key->file.len == 0) {
        node_wrong(r, node, "expected {domain: NAME, selector: NAME, key: FILE}");
        return;
    }
    for (size_t i = 0; i + 1 < c->dkim_key_count; i++) {
        if (str_eq(c->dkim_keys[i].domain, key->domain) &&
            str_eq(c->dkim_keys[i].selector, key->selector)) {
            node_wrong(r, node, "%.*s has a key with the selector %.*s already",
                       STR_ARG(key->domain), STR_ARG(key->selector));
        }
    }
}

void read_dkim_keys(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    struct config *c = r->config;
    struct node_list list = node_list(r, value);
    (void)key;
    (void)into;
    if (list.count > DKIM_KEYS_MAX) {
        node_wrong(r, value, "more than %d keys", DKIM_KEYS_MAX);
        return;
    }
    c->dkim_keys = arena_array(&c->arena, list.count + 1, sizeof *c->dkim_keys);
    c->dkim_key_count = 0;
    for (const yaml_node_t *node; c->dkim_keys && (node = node_next(&list));) {
        struct config_dkim_key *made = &c->dkim_keys[c->dkim_key_count++];
        size_t before = r->problems->errors;
        read_keys(r, node, dkim_keys, made);
        if (r->problems->errors == before) {
            check_key(r, node, made);
        }
    }
}
