#include "config/schema.h"

#include "config/dkim_keys.h"
#include "config/domain_keys.h"
#include "config/login_keys.h"
#include "config/tls_keys.h"
#include "config/units.h"
#include "config/written.h"
#include "core/dns/idn.h"
#include "core/mail/domain.h"

#define AT(field) .offset = offsetof(struct config, field)

static void read_hostname(struct reader *r, const yaml_node_t *value, const struct key *key,
                          void *into)
{
    struct buf ascii = {0};
    struct domain domain;
    struct str text;
    (void)key;
    if (node_text(r, value, "a host name", &text)) {
        if (idn_to_ascii(&ascii, text) && domain_parse(buf_str(&ascii), &domain) &&
            domain.kind == DOMAIN_NAME) {
            *(struct str *)into = arena_copy(&r->config->arena, buf_str(&ascii));
        } else {
            node_wrong(r, value, "expected a full host name like mx.example.org");
        }
    }
    buf_done(&ascii);
}

static void read_user(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    (void)key;
    (void)!node_copy(r, value, "a user, or user:group", into);
}

static void read_networks(struct reader *r, const yaml_node_t *value, const struct key *key,
                          void *into)
{
    struct config *c = r->config;
    struct node_list list = node_list(r, value);
    struct str text;
    (void)key;
    (void)into;
    c->networks = arena_array(&c->arena, list.count + 1, sizeof *c->networks);
    c->network_count = 0;
    for (const yaml_node_t *node; c->networks && (node = node_next(&list));) {
        if (!node_text(r, node, "a network", &text)) {
            continue;
        }
        if (network_parse(text, &c->networks[c->network_count])) {
            c->network_count++;
        } else {
            node_wrong(r, node, "expected a network like 192.0.2.0/24 or 2001:db8::/32");
        }
    }
}

/* "192.0.2.1" or "192.0.2.1@53" */
static bool is_dns_server(struct str text)
{
    struct str port = text;
    struct str address = str_split(&port, '@');
    struct ip ip;
    uint64_t number = 53;
    bool bare = str_find(text, '@') == STR_NONE;
    return ip_parse(address, &ip) && (bare || str_to_u64(port, UINT16_MAX, &number)) && number > 0;
}

static void read_dns_servers(struct reader *r, const yaml_node_t *value, const struct key *key,
                             void *into)
{
    struct config *c = r->config;
    struct node_list list = node_list(r, value);
    struct str text;
    (void)key;
    (void)into;
    c->dns_servers = arena_array(&c->arena, list.count + 1, sizeof *c->dns_servers);
    c->dns_server_count = 0;
    for (const yaml_node_t *node; c->dns_servers && (node = node_next(&list));) {
        if (!node_copy(r, node, "an address", &text)) {
            continue;
        }
        if (is_dns_server(text)) {
            c->dns_servers[c->dns_server_count++] = text;
        } else {
            node_wrong(r, node, "expected an address like 192.0.2.1 or 127.0.0.1@5353");
        }
    }
}

static void read_retry(struct reader *r, const yaml_node_t *value, const struct key *key,
                       void *into)
{
    struct config *c = r->config;
    struct node_list list = node_list(r, value);
    struct key not_zero = *key;
    (void)into;
    not_zero.least = 1;
    c->queue.retry = arena_array(&c->arena, list.count + 1, sizeof *c->queue.retry);
    c->queue.retry_count = 0;
    for (const yaml_node_t *node; c->queue.retry && (node = node_next(&list));) {
        read_span(r, node, &not_zero, &c->queue.retry[c->queue.retry_count++]);
    }
    if (c->queue.retry_count == 0) {
        node_wrong(r, value, "expected at least one time, like [5m, 1h]");
    }
}

static void read_postmaster(struct reader *r, const yaml_node_t *value, const struct key *key,
                            void *into)
{
    struct written_address address;
    const char *reason = NULL;
    struct str text;
    (void)key;
    if (!node_text(r, value, "an address", &text)) {
        return;
    }
    if (!written_address_parse(text, &r->config->arena, &address, &reason) ||
        address.domain.len == 0) {
        node_wrong(r, value, "%s", reason ? reason : "expected local@domain");
        return;
    }
    *(struct str *)into = address.text;
}

static void set_source(struct reader *r, const yaml_node_t *node, struct str text)
{
    struct config_deliver *d = &r->config->deliver;
    struct ip ip;
    bool any = str_eq(text, STR("0.0.0.0")) || str_eq(text, STR("::"));
    if (!ip_parse(text, &ip)) {
        node_wrong(r, node, "expected an address of this host, or 0.0.0.0, or ::");
    } else if (ip.family == IP_V4) {
        d->no_ipv4 = false;
        d->source4 = any ? (struct ip){0} : ip;
    } else {
        d->no_ipv6 = false;
        d->source6 = any ? (struct ip){0} : ip;
    }
}

/* The families that are listed are used, no other. */
static void read_source(struct reader *r, const yaml_node_t *value, const struct key *key,
                        void *into)
{
    struct node_list list = node_list(r, value);
    struct str text;
    (void)key;
    (void)into;
    r->config->deliver.no_ipv4 = r->config->deliver.no_ipv6 = true;
    for (const yaml_node_t *node; (node = node_next(&list));) {
        if (node_text(r, node, "an address", &text)) {
            set_source(r, node, text);
        }
    }
}

static const char *const askers[] = {"never", "networks", "anyone", NULL};
static const char *const helos[] = {"note", "reject", NULL};
static const char *const traces[] = {"off", "note", "header", NULL};
static const char *const submitters[] = {"show", "hide", NULL};
static const char *const endings[] = {"strict", "normalise", NULL};
static const char *const lines[] = {"keep", "refuse", NULL};
static const char *const formats[] = {"auto", "text", "json", NULL};
static const char *const levels[] = {"debug", "info", "warning", "error", NULL};
static const char *const key_places[] = {"apart", "worker", NULL};
static const char *const relays[] = {"networks", "open-relay-i-know", NULL};

static const struct key spool_keys[] = {
    {.name = "path", .read = read_file_name, AT(spool_path)},
    {.name = "reserve", .read = read_size, AT(spool_reserve), .least = 1 << 20},
    {0},
};
static const struct key log_keys[] = {
    {.name = "format", .read = read_choice, AT(log_format), .words = formats},
    {.name = "level", .read = read_choice, AT(log_level), .words = levels},
    {0},
};
static const struct key dns_keys[] = {
    {.name = "servers", .read = read_dns_servers},
    {.name = "trust_anchor", .read = read_file_name, AT(trust_anchor)},
    {0},
};
static const char *const complete_whats[] = {"hosts", "names", "off", NULL};
static const char *const complete_whoses[] = {"submission", "networks", NULL};
static const struct key complete_keys[] = {
    {.name = "addresses", .read = read_choice, AT(complete.what), .words = complete_whats},
    {.name = "domain", .read = read_hostname, AT(complete.domain)},
    {.name = "clients", .read = read_choice, AT(complete.whose), .words = complete_whoses},
    {0},
};
static const struct key policy_keys[] = {
    {.name = "complete", .read = read_section, .inside = complete_keys},
    {.name = "helo", .read = read_choice, AT(helo), .words = helos},
    {.name = "trace", .read = read_choice, AT(trace), .words = traces},
    {.name = "submitters", .read = read_choice, AT(submitters), .words = submitters},
    {.name = "vrfy", .read = read_choice, AT(vrfy), .words = askers},
    {.name = "expn", .read = read_choice, AT(expn), .words = askers},
    {.name = "line_endings", .read = read_choice, AT(line_endings), .words = endings},
    {.name = "long_lines", .read = read_choice, AT(long_lines), .words = lines},
    {0},
};
static const struct key limit_keys[] = {
    {.name = "message", .read = read_size, AT(limits.message), .least = 65536},
    {.name = "recipients", .read = read_count, AT(limits.recipients), .least = 100},
    {.name = "connections", .read = read_count, AT(limits.connections), .least = 1},
    {.name = "client_connections", .read = read_count, AT(limits.client_connections)},
    {.name = "errors", .read = read_count, AT(limits.errors), .least = 1},
    {.name = "empty_commands", .read = read_count, AT(limits.empty_commands), .least = 20},
    {.name = "future_release", .read = read_span, AT(limits.future_release)},
    {.name = "deliver_by", .read = read_span, AT(limits.deliver_by)},
    {.name = "received", .read = read_count, AT(limits.received), .least = 1},
    {.name = "idle", .read = read_span, AT(limits.idle), .least = 1},
    {.name = "data_idle", .read = read_span, AT(limits.data_idle), .least = 1},
    {0},
};
static const struct key queue_keys[] = {
    {.name = "retry", .read = read_retry},
    {.name = "expire", .read = read_span, AT(queue.expire), .least = 1},
    {.name = "delay_notice", .read = read_span, AT(queue.delay_notice)},
    {.name = "history", .read = read_span, AT(queue.history)},
    {.name = "history_size", .read = read_size, AT(queue.history_size)},
    {.name = "active", .read = read_count, AT(queue.active), .least = 1},
    {.name = "site_connections", .read = read_count, AT(queue.site_connections), .least = 1},
    {.name = "connection_messages", .read = read_count, AT(queue.connection_messages), .least = 1},
    {.name = "bounce_postmaster", .read = read_postmaster, AT(queue.bounce_postmaster)},
    {0},
};
static const struct key timeout_keys[] = {
    {.name = "connect", .read = read_span, AT(deliver.connect), .least = 1},
    {.name = "greeting", .read = read_span, AT(deliver.greeting), .least = 1},
    {.name = "helo", .read = read_span, AT(deliver.helo), .least = 1},
    {.name = "mail", .read = read_span, AT(deliver.mail), .least = 1},
    {.name = "rcpt", .read = read_span, AT(deliver.rcpt), .least = 1},
    {.name = "data_init", .read = read_span, AT(deliver.data_init), .least = 1},
    {.name = "data_block", .read = read_span, AT(deliver.data_block), .least = 1},
    {.name = "data_done", .read = read_span, AT(deliver.data_done), .least = 1},
    {.name = "quit", .read = read_span, AT(deliver.quit), .least = 1},
    {.name = "pipe", .read = read_span, AT(deliver.pipe), .least = 1},
    {.name = "mta_sts", .read = read_span, AT(deliver.mta_sts), .least = 1},
    {0},
};
static const char *const tls_report_uses[] = {"send", "never", NULL};
static const struct key tls_report_keys[] = {
    {.name = "use", .read = read_choice, AT(tls_reports.use), .words = tls_report_uses},
    {.name = "from", .read = read_postmaster, AT(tls_reports.from)},
    {.name = "every", .read = read_span, AT(tls_reports.every), .least = 1},
    {0},
};
static const char *const mta_sts_uses[] = {"use", "never", NULL};
static const struct key deliver_keys[] = {
    {.name = "port", .read = read_port, AT(deliver.port)},
    {.name = "source", .read = read_source},
    {.name = "timeouts", .read = read_section, .inside = timeout_keys},
    {.name = "tls", .read = read_tls_rules},
    {.name = "mta_sts", .read = read_choice, AT(mta_sts), .words = mta_sts_uses},
    {.name = "tls_reports", .read = read_section, .inside = tls_report_keys},
    {.name = "https_port", .read = read_port, AT(deliver.https_port)},
    {.name = "transaction_recipients",
     .read = read_count,
     AT(deliver.transaction_recipients),
     .least = 1},
    {.name = "connection_idle", .read = read_span, AT(deliver.connection_idle)},
    {.name = "uid_min", .read = read_count, AT(deliver.uid_min), .least = 1},
    {0},
};

static const struct key tls_keys[] = {
    {.name = "keys", .read = read_choice, AT(tls_keys), .words = key_places},
    {.name = "certificates", .read = read_certificates},
    {.name = "authorities", .read = read_file_name, AT(authorities)},
    {0},
};

const struct key config_keys[] = {
    {.name = "hostname", .read = read_hostname, AT(hostname)},
    {.name = "user", .read = read_user, AT(user)},
    {.name = "spool", .read = read_section, .inside = spool_keys},
    {.name = "control", .read = read_file_name, AT(control_path)},
    {.name = "log", .read = read_section, .inside = log_keys},
    {.name = "dns", .read = read_section, .inside = dns_keys},
    {.name = "listen", .read = read_listens},
    {.name = "networks", .read = read_networks},
    {.name = "relay", .read = read_choice, AT(relay), .words = relays},
    {.name = "domains", .read = read_domains},
    {.name = "transports", .read = read_transports},
    {.name = "queue", .read = read_section, .inside = queue_keys},
    {.name = "policy", .read = read_section, .inside = policy_keys},
    {.name = "limits", .read = read_section, .inside = limit_keys},
    {.name = "deliver", .read = read_section, .inside = deliver_keys},
    {.name = "loops", .read = read_count, AT(loops), .most = 64},
    {.name = "users", .read = read_logins},
    {.name = "tls", .read = read_section, .inside = tls_keys},
    {.name = "dkim", .read = read_dkim_keys},
    {0},
};
