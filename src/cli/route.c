/* route.c: `postrider route`: every step from an address to the hosts to connect to. */
#include "path/route/route.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/route_connect.h"
#include "cli/sts_desk.h"
#include "cli/verb.h"
#include "control/answer.h"
#include "core/mail/mailbox.h"
#include "core/mail/status.h"
#include "path/route/addresses.h"
#include "path/route/host_tls.h"
#include "path/route/tls_rule.h"
#include "tls/server.h"
#include "world/log.h"
#include "world/loop.h"
#include "world/resolver.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { MEMBERS_MAX = 1000, DEPTH_MAX = 20 };

struct member {
    struct str address;
    unsigned depth;
};

struct routing_verb {
    struct loop *loop;
    const struct config *config;
    struct arena arena;
    struct route_query route;
    struct addresses_query addresses;
    struct host_tls_query tls;
    struct sts_desk desk;
    struct sts_office *sts;
    struct member members[MEMBERS_MAX];
    size_t count, next, host;
    json_t *results;
    json_t *result; /* of the present member */
    struct tls *private;
    struct route_connect try;
    bool connect; /* --connect */
    bool json;
    int code;
};

static void next_member(struct routing_verb *v);

static json_t *steps_json(const struct routing_step *steps, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, answer_text(steps[i].what));
    }
    return list;
}

static void print_steps(const struct routing_verb *v, const struct routing_step *steps,
                        size_t count)
{
    for (size_t i = 0; i < count && !v->json; i++) {
        (void)printf("  ");
        print_text(stdout, steps[i].what, false);
        (void)printf("\n");
    }
}

static void worse(struct routing_verb *v, int code)
{
    v->code = v->code == EX_OK || code == EX_TEMPFAIL ? code : v->code;
}

static void next_host(struct routing_verb *v);

static json_t *policy_json(const struct host_tls_query *tls)
{
    const struct tls_policy *policy = &tls->policy;
    json_t *json = json_object();
    json_object_set_new(json, "policy", answer_text(tls_level_word(policy->level)));
    json_object_set_new(json, "implicit", json_boolean(policy->implicit));
    json_object_set_new(json, "source", answer_text(policy->source));
    json_object_set_new(json, "steps", steps_json(tls->steps, tls->step_count));
    if (tls->status.class != 0) {
        json_object_set_new(json, "trouble", answer_text(tls->text));
    }
    return json;
}

static void print_policy(const struct routing_verb *v, struct str host)
{
    const struct tls_policy *policy = &v->tls.policy;
    struct str level = tls_level_word(policy->level);
    if (v->json || v->route.result.hop.kind != HOP_SMTP) {
        return;
    }
    if (v->tls.status.class != 0) {
        (void)printf("  no mail to %.*s now: %.*s\n", STR_ARG(host), STR_ARG(v->tls.text));
        return;
    }
    (void)printf("  TLS policy of %.*s: %.*s%s%s%.*s\n", STR_ARG(host), STR_ARG(level),
                 policy->implicit ? ", implicit" : "", policy->source.len > 0 ? ", by " : "",
                 STR_ARG(policy->source));
}

static json_t *host_json(const struct routing_verb *v)
{
    json_t *hosts = json_object_get(v->result, "hosts");
    return json_array_get(hosts, json_array_size(hosts) - 1);
}

static void on_tried(struct route_connect *try)
{
    struct routing_verb *v = try->owner;
    if (!v->json) {
        route_connect_print(try);
    }
    if (!try->good) {
        worse(v, EX_TEMPFAIL);
    }
    json_object_set_new(host_json(v), "connect", try->result);
    next_host(v);
}

static void on_tls(struct host_tls_query *query)
{
    struct routing_verb *v = query->owner;
    struct str name = query->hop->hosts[query->host].name;
    print_steps(v, query->steps, query->step_count);
    print_policy(v, name);
    json_object_set_new(host_json(v), "tls", policy_json(query));
    if (!v->connect || query->status.class != 0 || query->hop->kind != HOP_SMTP) {
        next_host(v);
        return;
    }
    v->try = (struct route_connect){
        .done = on_tried, .config = v->config, .host = &v->tls, .arena = &v->arena, .owner = v};
    route_connect_start(&v->try);
}

static void add_host(struct routing_verb *v, struct str name)
{
    json_t *host = json_object();
    json_object_set_new(host, "name", answer_text(name));
    json_array_append_new(json_object_get(v->result, "hosts"), host);
}

static void ask_tls(struct routing_verb *v)
{
    v->tls = (struct host_tls_query){.done = on_tls,
                                     .ports = loop_ports(v->loop),
                                     .arena = &v->arena,
                                     .hop = &v->route.result.hop,
                                     .host = v->host - 1,
                                     .owner = v};
    if (host_tls_start(&v->tls)) {
        on_tls(&v->tls);
    }
}

static void on_addresses(struct addresses_query *query)
{
    struct routing_verb *v = query->owner;
    json_t *ips = json_array();
    print_steps(v, query->steps, query->step_count);
    for (size_t i = 0; i < query->ip_count; i++) {
        char text[IP_TEXT_MAX];
        json_array_append_new(ips, answer_text(ip_text(query->ips[i], text)));
    }
    if (query->ip_count == 0 && !v->json) {
        (void)printf("  %.*s: %.*s\n", STR_ARG(query->host), STR_ARG(query->text));
    }
    add_host(v, query->host);
    json_object_set_new(host_json(v), "addresses", ips);
    json_object_set_new(host_json(v), "steps", steps_json(query->steps, query->step_count));
    ask_tls(v);
}

static void print_place(const struct routing_verb *v, const struct next_hop *hop)
{
    static const char *const places[] = {"by SMTP to",        "by LMTP to",    "by LMTP to",
                                         "into the Maildir",  "onto the mbox", "to the program",
                                         "nowhere: discarded"};
    if (v->json) {
        return;
    }
    (void)printf("=> %s", places[hop->kind]);
    if (hop->path.len > 0) {
        (void)printf(" %.*s", STR_ARG(hop->path));
    }
    for (size_t i = 0; i < hop->argc; i++) {
        (void)printf(" %.*s", STR_ARG(hop->argv[i]));
    }
    for (size_t i = 0; i < hop->host_count; i++) {
        (void)printf("%s%.*s", i > 0 ? ", then " : " ", STR_ARG(hop->hosts[i].name));
    }
    if (hop->host_count > 0) {
        (void)printf(", port %u", (unsigned)hop->port);
    }
    (void)printf("\n");
}

static void member_done(struct routing_verb *v)
{
    json_array_append_new(v->results, v->result);
    v->result = NULL;
    next_member(v);
}

static void next_host(struct routing_verb *v)
{
    const struct next_hop *hop = &v->route.result.hop;
    if (v->host == hop->host_count) {
        print_place(v, hop);
        member_done(v);
        return;
    }
    const struct hop_host *host = &hop->hosts[v->host++];
    if (host->literal.family != IP_NONE) {
        add_host(v, host->name);
        ask_tls(v);
        return;
    }
    v->addresses = (struct addresses_query){.done = on_addresses,
                                            .ports = loop_ports(v->loop),
                                            .arena = &v->arena,
                                            .host = host->name,
                                            .no_ipv4 = v->config->deliver.no_ipv4,
                                            .no_ipv6 = v->config->deliver.no_ipv6,
                                            .owner = v};
    addresses_start(&v->addresses);
}

static bool seen(const struct routing_verb *v, struct str address)
{
    for (size_t i = 0; i < v->count; i++) {
        if (str_eq(v->members[i].address, address)) {
            return true;
        }
    }
    return false;
}

static void add_members(struct routing_verb *v, const struct routing *r, unsigned depth)
{
    for (size_t i = 0; i < r->child_count; i++) {
        struct str address = r->children[i].address;
        if (v->count < MEMBERS_MAX && depth < DEPTH_MAX && !seen(v, address)) {
            v->members[v->count++] = (struct member){address, depth + 1};
        }
        if (!v->json) {
            (void)printf("=> %.*s\n", STR_ARG(address));
        }
    }
}

static void tell_failure(struct routing_verb *v, const struct routing *r)
{
    struct buf status = {0};
    bool later = r->verdict == ROUTING_DEFER;
    status_format(&status, r->status);
    if (!v->json) {
        (void)printf("=> %s (%.*s): %.*s\n", later ? "to be tried later" : "cannot be delivered",
                     STR_ARG(buf_str(&status)), STR_ARG(r->text));
    }
    json_object_set_new(v->result, "status", answer_text(buf_str(&status)));
    json_object_set_new(v->result, "text", answer_text(r->text));
    buf_done(&status);
    worse(v, later                                             ? EX_TEMPFAIL
             : r->status.subject == 1 && r->status.detail == 2 ? EX_NOHOST
                                                               : EX_NOUSER);
}

static void on_routed(struct route_query *query)
{
    static const char *const verdicts[] = {"deliver", "expand", "defer", "fail"};
    static const char *const kinds[] = {"smtp", "lmtp", "lmtp",   "maildir",
                                        "mbox", "pipe", "discard"};
    struct routing_verb *v = query->owner;
    const struct routing *r = &query->result;
    print_steps(v, r->steps, r->step_count);
    v->result = json_object();
    json_object_set_new(v->result, "address", answer_text(query->address));
    json_object_set_new(v->result, "verdict", json_string(verdicts[r->verdict]));
    json_object_set_new(v->result, "steps", steps_json(r->steps, r->step_count));
    v->host = 0;
    if (r->verdict == ROUTING_HOP) {
        json_object_set_new(v->result, "kind", json_string(kinds[r->hop.kind]));
        json_object_set_new(v->result, "site", answer_text(r->hop.site));
        json_object_set_new(v->result, "path", answer_text(r->hop.path));
        json_object_set_new(v->result, "port", json_integer(r->hop.port));
        json_object_set_new(v->result, "hosts", json_array());
        next_host(v);
        return;
    }
    if (r->verdict == ROUTING_EXPAND) {
        add_members(v, r, v->members[v->next - 1].depth);
    } else {
        tell_failure(v, r);
    }
    member_done(v);
}

static void next_member(struct routing_verb *v)
{
    if (v->next == v->count) {
        loop_stop(v->loop);
        return;
    }
    struct str address = v->members[v->next++].address;
    if (!v->json) {
        (void)printf("%s%.*s\n", v->next > 1 ? "\n" : "", STR_ARG(address));
    }
    v->route = (struct route_query){.done = on_routed,
                                    .ports = loop_ports(v->loop),
                                    .config = v->config,
                                    .arena = &v->arena,
                                    .address = address,
                                    .sts = v->sts,
                                    .owner = v};
    route_start(&v->route);
}

static void print_ways(const struct routing_verb *v, struct str address)
{
    json_t *all = json_object();
    json_object_set_new(all, "address", answer_text(address));
    json_object_set(all, "ways", v->results); /* its own, then those of what it expands to */
    print_facts(all);
    json_decref(all);
}

static bool make_private(struct routing_verb *v)
{
    struct tls_source source = {0};
    struct buf reason = {0};
    if (!v->connect) {
        return true;
    }
    source.authorities = v->config->authorities.len > 0 ? v->config->authorities.ptr : NULL;
    v->private = tls_server_new(&source, loop_ports(v->loop), &reason);
    if (v->private) {
        loop_set_tls(v->loop, v->private);
    } else {
        (void)fprintf(stderr, "postrider route: no TLS: %.*s\n", STR_ARG(buf_str(&reason)));
        v->code = EX_OSERR;
    }
    buf_done(&reason);
    return v->private != NULL;
}

static int run(struct routing_verb *v, struct str address)
{
    char reason[256] = "";
    struct dns_service_options dns = {.servers = v->config->dns_servers,
                                      .server_count = v->config->dns_server_count,
                                      .trust_anchor = v->config->trust_anchor};
    struct log *log = log_new(2, LOG_STYLE_AUTO, LOG_WARNING);
    struct dns_service *service = dns_service_new(&dns, reason, sizeof reason);
    v->loop = log && service ? loop_new(log, service) : NULL;
    if (!v->loop) {
        (void)fprintf(stderr, "postrider route: no DNS: %s\n", reason);
        v->code = EX_OSERR;
    } else if (make_private(v)) {
        v->members[v->count++] = (struct member){address, 0};
        v->sts = sts_desk_open(&v->desk, v->config, v->loop, true);
        v->results = json_array();
        next_member(v);
        loop_run(v->loop);
        if (v->json) {
            print_ways(v, address);
        }
        json_decref(v->results);
    }
    sts_desk_stop(&v->desk);
    loop_free(v->loop);
    tls_server_free(v->private);
    sts_desk_close(&v->desk);
    dns_service_free(service);
    log_free(log);
    arena_done(&v->arena);
    return v->code;
}

static void print_help(void)
{
    (void)printf("usage: postrider route ADDRESS [--connect] [--json] [-c FILE]\n"
                 "                       [--dns ADDR@PORT] [--trust-anchor FILE]\n\n"
                 "Shows every step from the address to the host to connect to, with the DNS "
                 "answers it rests\non. With --connect each host is tried up to the point where "
                 "mail would be sent: connection,\nTLS handshake, certificates, and whether they "
                 "are as the policy wants. Exit code 0: it can be\ndelivered; 67, 68: it cannot; "
                 "75: try later.\n\n"
                 "example: postrider route someone@example.org\n");
}

static int route_address(struct config *config, const char *word, bool json, bool connect)
{
    struct mailbox mailbox;
    struct buf address = {0};
    if (mailbox_parse(str_from_cstr(word), &mailbox) != MAILBOX_OK) {
        (void)fprintf(stderr, "postrider route: \"%s\" is no address (local@domain)\n", word);
        return EX_USAGE;
    }
    mailbox_format(&address, &mailbox);
    struct routing_verb *verb = calloc(1, sizeof *verb);
    int code = EX_OSERR;
    if (verb && !address.failed) {
        verb->config = config;
        verb->json = json;
        verb->connect = connect;
        code = run(verb, buf_str(&address));
    }
    free(verb);
    buf_done(&address);
    return code;
}

int verb_route(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"dns", required_argument, NULL, 'd'},
                                            {"trust-anchor", required_argument, NULL, 't'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"connect", no_argument, NULL, 'C'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *file = NULL;
    struct str dns = {0};
    struct str anchor = {0};
    bool json = false;
    bool connect = false;
    for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            file = optarg;
            break;
        case 'd':
            dns = str_from_cstr(optarg);
            break;
        case 't':
            anchor = str_from_cstr(optarg);
            break;
        case 'j':
            json = true;
            break;
        case 'C':
            connect = true;
            break;
        case 'h':
            print_help();
            return EX_OK;
        default:
            return EX_USAGE;
        }
    }
    if (argc - optind != 1) {
        (void)fprintf(stderr, "postrider route: of which address? See --help\n");
        return EX_USAGE;
    }
    struct options_config source;
    struct config *config = options_config(&source, file);
    int code = EX_CONFIG;
    if (config) {
        config->dns_servers = dns.len ? &dns : config->dns_servers;
        config->dns_server_count = dns.len ? 1 : config->dns_server_count;
        config->trust_anchor = anchor.len ? anchor : config->trust_anchor;
        code = route_address(config, argv[optind], json, connect);
    }
    config_drop(config);
    options_done(&source);
    return code;
}
