#include "cli/route_connect.h"

#include "cli/print.h"
#include "control/answer.h"

#include <stdio.h>

/* Nobody at a terminal waits as long as a server does. */
#define PATIENCE SPAN_S(20)

static void tell(struct timer *timer)
{
    struct route_connect *try = CONTAINER_OF(timer, struct route_connect, later);
    deliver_office_done(&try->office); /* QUIT is said; its answer is not awaited */
    try->done(try);
}

/* From the top of the loop: the connection may be in the midst of its own work. */
static void end(struct route_connect *try, bool good, struct str verdict)
{
    struct timers *timers = try->host->ports->timers;
    try->good = good;
    json_object_set_new(try->result, "good", json_boolean(good));
    json_object_set_new(try->result, "verdict", answer_text(verdict));
    try->later = (struct timer){.fire = tell};
    timers->arm(timers, &try->later, SPAN_S(0));
}

static void add_certificates(struct route_connect *try, const struct tls *tls)
{
    struct buf text = {0};
    struct str rest;
    json_t *list = json_array();
    tls->describe(try->connection->stream, &text);
    rest = buf_str(&text);
    while (rest.len > 0) {
        json_array_append_new(list, answer_text(str_split(&rest, '\n')));
    }
    json_object_set_new(try->result, "certificates", list);
    buf_done(&text);
}

static void add_facts(struct route_connect *try)
{
    const struct tls *tls = try->host->ports->tls;
    struct tls_facts facts;
    bool secured =
        try->connection->client.secured && tls && tls->facts(try->connection->stream, &facts);
    json_object_set_new(try->result, "tls", json_boolean(secured));
    if (secured) {
        json_object_set_new(try->result, "version", answer_text(facts.version));
        json_object_set_new(try->result, "cipher", answer_text(facts.cipher));
        add_certificates(try, tls);
    }
}

static struct str verdict_of(struct route_connect *try)
{
    const struct tls_policy *policy = &try->host->policy;
    if (!try->connection->client.secured) {
        return policy->level == TLS_NONE ? STR("in the clear, as the policy says")
                                         : STR("in the clear: TLS is not offered");
    }
    switch (policy->level) {
    case TLS_VERIFY:
        return STR("TLS, with a certificate by a known authority for the right name");
    case TLS_FINGERPRINT:
        return STR("TLS, with a configured fingerprint");
    case TLS_DANE:
        return STR("TLS, with a certificate that a TLSA record describes");
    case TLS_MAY:
    case TLS_NONE:
    case TLS_ENCRYPT:
        break;
    }
    return STR("TLS; the policy does not ask with whom");
}

static struct str failure_of(struct route_connect *try)
{
    const struct connection *c = try->connection;
    struct arena *arena = try->arena;
    switch (c->loss) {
    case LOSS_TLS: {
        struct str why = connection_tls_trouble(c);
        bool clear = !tls_required(&try->host->policy);
        return arena_format(arena, "the TLS handshake failed: %.*s%s", STR_ARG(why),
                            clear ? "; mail would go in the clear" : "");
    }
    case LOSS_TIMEOUT:
        return STR("the server took too long");
    case LOSS_NONE:
    case LOSS_ENDED:
    case LOSS_BROKEN:
    case LOSS_STOPPED:
        break;
    }
    if (c->client.failure.cause == CAUSE_NO_TLS) {
        return arena_format(arena, "TLS is required, and not to be had here%s%.*s",
                            c->client.failure.text.len > 0 ? ": " : "",
                            STR_ARG(c->client.failure.text));
    }
    return c->client.failure.text.len > 0 ? arena_copy(arena, c->client.failure.text)
                                          : STR("the server ended the connection");
}

static void on_changed(struct connection *c)
{
    struct route_connect *try = c->owner;
    enum client_state state = smtp_client_state(&c->client);
    if (state != CLIENT_READY && state != CLIENT_CLOSED) {
        return;
    }
    add_facts(try);
    if (state == CLIENT_READY) {
        end(try, true, verdict_of(try));
        connection_quit(c);
        return;
    }
    end(try, c->loss == LOSS_TLS && !tls_required(&try->host->policy), failure_of(try));
    connection_free(c);
}

static void on_raced(struct happy_eyeballs *race)
{
    struct route_connect *try = race->owner;
    char ip[IP_TEXT_MAX];
    if (!race->stream) {
        end(try, false, race->text);
        return;
    }
    json_object_set_new(try->result, "address", answer_text(ip_text(race->peer.ip, ip)));
    try->connection =
        connection_new(&try->office, race->stream, &try->job, race->host->name, &try->host->policy);
    if (!try->connection) {
        end(try, false, STR("there is no TLS here, or no memory"));
        return;
    }
    try->connection->changed = on_changed;
    try->connection->owner = try;
    connection_hurry(try->connection, PATIENCE);
}

void route_connect_start(struct route_connect *try)
{
    const struct next_hop *hop = try->host->hop;
    deliver_office_init(&try->office, try->host->ports);
    try->rcpt = (struct job_rcpt){.hop = hop};
    try->job = (struct delivery_job){
        .config = try->config, .site = hop->site, .rcpts = &try->rcpt, .rcpt_count = 1};
    try->result = json_object();
    try->race = (struct happy_eyeballs){.done = on_raced,
                                        .ports = try->host->ports,
                                        .arena = try->arena,
                                        .host = &hop->hosts[try->host->host],
                                        .port = hop->port,
                                        .config = &try->config->deliver,
                                        .owner = try};
    happy_eyeballs_start(&try->race);
}

static const char *text_of(const struct route_connect *try, const char *key)
{
    const char *text = json_string_value(json_object_get(try->result, key));
    return text ? text : "";
}

void route_connect_print(const struct route_connect *try)
{
    size_t i;
    json_t *certificate;
    const char *address = text_of(try, "address");
    if (address[0] != '\0') {
        (void)printf("  connected to [%s] port %u", address, (unsigned)try->host->hop->port);
        (void)printf("%s%s%s%s\n", json_is_true(json_object_get(try->result, "tls")) ? ", " : "",
                     text_of(try, "version"), text_of(try, "cipher")[0] != '\0' ? ", " : "",
                     text_of(try, "cipher"));
    }
    json_array_foreach(json_object_get(try->result, "certificates"), i, certificate)
    {
        (void)printf("    ");
        print_text(stdout, str_from_cstr(json_string_value(certificate)), false);
        (void)printf("\n");
    }
    (void)printf("  %s: ", try->good ? "good" : "not good");
    print_text(stdout, str_from_cstr(text_of(try, "verdict")), false);
    (void)printf("\n");
}
