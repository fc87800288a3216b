#include "world/dns_options.h"

#include <stdio.h>
#include <unbound.h>

#include "core/base/buf.h"
#include "core/base/ip.h"
#include "world/whole_file.h"

struct setting {
    const char *name;
    const char *value;
};

/* A mail server asks for the same few sites again and again, and people mend their zones while it
 * retries: what is not there is forgotten soon, and a server that was down is tried again soon.
 * What a loop wants again within a minute it has itself (core/dns/memory.h), and a whole answer is
 * put together from its records; 10,000 domains of one list would fill any cache, to be asked for
 * once. */
static const struct setting settings[] = {
    {"do-not-query-localhost:", "no"},
    {"unblock-lan-zones:", "yes"},
    {"insecure-lan-zones:", "yes"},
    {"cache-max-ttl:", "86400"},
    {"cache-max-negative-ttl:", "60"},
    {"infra-host-ttl:", "30"},
    {"infra-keep-probing:", "yes"},
    {"msg-cache-size:", "512k"},
    {"rrset-cache-size:", "1m"},
    {"outgoing-range:", "512"},
    {"num-queries-per-thread:", "1024"},
    {"outgoing-num-tcp:", "32"},
    {"module-config:", "validator iterator"},
};

/* libunbound answers these itself unless told otherwise; here the configured servers know best
 * (RFC 6303, RFC 6761, RFC 7686). unblock-lan-zones frees the reverse zones of RFC 1918, RFC 4193
 * and link-local addresses only in part of its versions, so they are named too. */
static const char *const zones[] = {
    "localhost.",
    "127.in-addr.arpa.",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
    "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
    "home.arpa.",
    "onion.",
    "test.",
    "invalid.",
    "0.in-addr.arpa.",
    "10.in-addr.arpa.",
    "16.172.in-addr.arpa.",
    "17.172.in-addr.arpa.",
    "18.172.in-addr.arpa.",
    "19.172.in-addr.arpa.",
    "20.172.in-addr.arpa.",
    "21.172.in-addr.arpa.",
    "22.172.in-addr.arpa.",
    "23.172.in-addr.arpa.",
    "24.172.in-addr.arpa.",
    "25.172.in-addr.arpa.",
    "26.172.in-addr.arpa.",
    "27.172.in-addr.arpa.",
    "28.172.in-addr.arpa.",
    "29.172.in-addr.arpa.",
    "30.172.in-addr.arpa.",
    "31.172.in-addr.arpa.",
    "168.192.in-addr.arpa.",
    "254.169.in-addr.arpa.",
    "2.0.192.in-addr.arpa.",
    "100.51.198.in-addr.arpa.",
    "113.0.203.in-addr.arpa.",
    "255.255.255.255.in-addr.arpa.",
    "d.f.ip6.arpa.",
    "8.e.f.ip6.arpa.",
    "9.e.f.ip6.arpa.",
    "a.e.f.ip6.arpa.",
    "b.e.f.ip6.arpa.",
    "8.b.d.0.1.0.0.2.ip6.arpa.",
};

static bool fail(char *reason, size_t size, const char *what, struct str which)
{
    snprintf(reason, size, "%s: %.*s", what, STR_ARG(which));
    return false;
}

/* "nodefault" is what unbound.conf would say; by ub_ctx_set_option() libunbound 1.17 takes it and
 * does nothing. A transparent zone without data hides the built-in one and answers nothing. */
static int free_zone(struct ub_ctx *ub, const char *zone)
{
    char value[128];
    snprintf(value, sizeof value, "%s transparent", zone);
    return ub_ctx_set_option(ub, "local-zone:", value);
}

static bool set_up(struct ub_ctx *ub, char *reason, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        if (ub_ctx_set_option(ub, settings[i].name, settings[i].value) != 0) {
            return fail(reason, size, "libunbound does not know the option",
                        str_from_cstr(settings[i].name));
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        if (free_zone(ub, zones[i]) != 0) {
            return fail(reason, size, "libunbound does not give up the zone",
                        str_from_cstr(zones[i]));
        }
    }
    ub_ctx_debugout(ub, NULL);
    ub_ctx_debuglevel(ub, 0);
    return ub_ctx_async(ub, 1) == 0 || fail(reason, size, "libunbound", STR("has no threads"));
}

/* One name of /etc/hosts. Its zone is typetransparent: the file says nothing of MX or TXT records,
 * and a question for those goes to the DNS as for any other name. */
static int add_host(struct ub_ctx *ub, struct ip ip, struct str name)
{
    char value[400];
    char address[IP_TEXT_MAX];
    ip_text(ip, address);
    snprintf(value, sizeof value, "%.*s. typetransparent", STR_ARG(name));
    int error = ub_ctx_set_option(ub, "local-zone:", value);
    if (error) {
        return error;
    }
    snprintf(value, sizeof value, "%.*s. %s %s", STR_ARG(name), ip.family == IP_V4 ? "A" : "AAAA",
             address);
    return ub_ctx_set_option(ub, "local-data:", value);
}

static bool is_host_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!ascii_is_alnum(name.ptr[i]) && name.ptr[i] != '-' && name.ptr[i] != '.' &&
            name.ptr[i] != '_') {
            return false;
        }
    }
    return name.len > 0 && name.len < 254;
}

/* Spaces and tabs part the words of a line. */
static struct str next_word(struct str *line)
{
    *line = str_trim(*line);
    size_t end = 0;
    while (end < line->len && line->ptr[end] != ' ' && line->ptr[end] != '\t') {
        end++;
    }
    struct str word = str_head(*line, end);
    *line = str_tail(*line, end);
    return word;
}

/* A line that is not understood is passed over, as the system's own resolver does. */
static void read_hosts(struct ub_ctx *ub, struct str text)
{
    while (text.len) {
        struct str line = str_split(&text, '\n');
        line = str_split(&line, '#');
        struct ip ip;
        if (!ip_parse(next_word(&line), &ip)) {
            continue;
        }
        for (struct str name; (name = next_word(&line)).len;) {
            if (is_host_name(name) && add_host(ub, ip, name) != 0) {
                break;
            }
        }
    }
}

static bool use_system(struct ub_ctx *ub, const struct dns_service_options *options, char *reason,
                       size_t size)
{
    struct str conf = options->resolv_conf.len ? options->resolv_conf : STR("/etc/resolv.conf");
    char path[4096];
    if (conf.len >= sizeof path) {
        return fail(reason, size, "the path is too long", conf);
    }
    snprintf(path, sizeof path, "%.*s", STR_ARG(conf));
    if (ub_ctx_resolvconf(ub, path) != 0) {
        return fail(reason, size, "cannot read the name servers", conf);
    }
    return true;
}

static void use_hosts(struct ub_ctx *ub, struct str hosts)
{
    enum { HOSTS_MAX = 1 << 20 };
    struct buf text = {0};
    char path[4096];
    snprintf(path, sizeof path, "%.*s", STR_ARG(hosts));
    if (hosts.len < sizeof path && whole_file_read_small(path, HOSTS_MAX, &text) == 0) {
        read_hosts(ub, buf_str(&text));
    }
    buf_done(&text);
}

static bool use_servers(struct ub_ctx *ub, const struct dns_service_options *options, char *reason,
                        size_t size)
{
    for (size_t i = 0; i < options->server_count; i++) {
        struct str rest = options->servers[i];
        char text[128];
        struct ip ip;
        uint64_t port = 53;
        bool has_port = str_find(rest, '@') != STR_NONE;
        bool good = rest.len < sizeof text && ip_parse(str_split(&rest, '@'), &ip) &&
                    (!has_port || (str_to_u64(rest, 65535, &port) && port > 0));
        snprintf(text, sizeof text, "%.*s", STR_ARG(options->servers[i]));
        if (!good || ub_ctx_set_fwd(ub, text) != 0) {
            return fail(reason, size, "not a name server (ADDRESS or ADDRESS@PORT)",
                        options->servers[i]);
        }
    }
    return true;
}

/* A name that is answered from here, and by the answering shows whether the rest is right. */
static bool start(struct ub_ctx *ub)
{
    struct ub_result *result = NULL;
    bool good = ub_ctx_set_option(ub, "local-zone:", "start.postrider.invalid. static") == 0 &&
                ub_ctx_set_option(ub, "local-data:", "start.postrider.invalid. A 127.0.0.1") == 0 &&
                ub_resolve(ub, "start.postrider.invalid.", 1, 1, &result) == 0 && result->havedata;
    ub_resolve_free(result);
    return good;
}

bool dns_options_apply(struct ub_ctx *ub, const struct dns_service_options *options, char *reason,
                       size_t reason_size)
{
    if (!set_up(ub, reason, reason_size)) {
        return false;
    }
    bool own = options->server_count != 0;
    if (!(own ? use_servers : use_system)(ub, options, reason, reason_size)) {
        return false;
    }
    if (!own || options->hosts.len) {
        use_hosts(ub, options->hosts.len ? options->hosts : STR("/etc/hosts"));
    }
    if (options->trust_anchor.len) {
        char path[4096];
        snprintf(path, sizeof path, "%.*s", STR_ARG(options->trust_anchor));
        if (options->trust_anchor.len >= sizeof path || whole_file_check(path) != 0 ||
            ub_ctx_add_ta_file(ub, path) != 0) {
            return fail(reason, reason_size, "cannot read the trust anchor", options->trust_anchor);
        }
    }
    if (!start(ub)) {
        return fail(reason, reason_size, "the resolver does not start; is the trust anchor right",
                    options->trust_anchor);
    }
    return true;
}
