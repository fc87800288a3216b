#include "config/defaults.h"

#include "config/complete.h"
#include "config/place.h"
#include "port/log.h"

#include <stdlib.h>

enum { SANDBOX_PORT = 2525, SMTP_PORT = 25 };

static const struct config_limits limits = {
    .message = 50ULL << 20,
    .recipients = 1000,
    .connections = 20000,
    .client_connections = 50,
    .errors = 20,
    .empty_commands = 200,
    .future_release = {30LL * 86400 * 1000000},
    .deliver_by = {1000000},
    .received = 100,
    .idle = {300LL * 1000000},
    .data_idle = {300LL * 1000000},
};

/* More than a person sends, and less than what makes a stolen password worth its while. */
static const struct config_user_limits user_limits = {.an_hour = {{500, 2000}}};

/* The times of RFC 5321 4.5.3.2; a connection that is not made in 30 s will not be. */
static const struct config_deliver deliver = {
    .port = SMTP_PORT,
    .connect = {30LL * 1000000},
    .greeting = {300LL * 1000000},
    .helo = {300LL * 1000000},
    .mail = {300LL * 1000000},
    .rcpt = {300LL * 1000000},
    .data_init = {120LL * 1000000},
    .data_block = {180LL * 1000000},
    .data_done = {600LL * 1000000},
    .quit = {10LL * 1000000},
    .transaction_recipients = 100,
    .pipe = {300LL * 1000000},
    .uid_min = 1000,
    .connection_idle = {5LL * 1000000},
    .https_port = 443,
    .mta_sts = {10000000},
};

static const struct config_queue queue = {
    .expire = {5LL * 86400 * 1000000},
    .delay_notice = {4LL * 3600 * 1000000},
    .history = {7LL * 86400 * 1000000},
    .history_size = 256ULL << 20,
    .active = 10000,
    .site_connections = 20,
    .connection_messages = 1000,
};

static bool set_retry(struct config *c)
{
    static const struct span schedule[] = {
        {300LL * 1000000},  {600LL * 1000000},  {1200LL * 1000000},
        {2400LL * 1000000}, {3600LL * 1000000},
    };
    c->queue.retry = arena_array(&c->arena, ARRAY_LEN(schedule), sizeof *c->queue.retry);
    if (!c->queue.retry) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(schedule); i++) {
        c->queue.retry[i] = schedule[i];
    }
    c->queue.retry_count = ARRAY_LEN(schedule);
    return true;
}

static bool set_networks(struct config *c)
{
    c->networks = arena_array(&c->arena, 2, sizeof *c->networks);
    c->network_count = 2;
    return c->networks && network_parse(STR("127.0.0.0/8"), &c->networks[0]) &&
           network_parse(STR("::1"), &c->networks[1]);
}

static bool set_listens(struct config *c)
{
    c->listens = arena_array(&c->arena, 2, sizeof *c->listens);
    c->listen_count = 2;
    return c->listens && endpoint_parse(STR("0.0.0.0:25"), &c->listens[0].at) &&
           endpoint_parse(STR("[::]:25"), &c->listens[1].at);
}

struct config *config_new(void)
{
    struct config *c = calloc(1, sizeof *c);
    if (!c) {
        return NULL;
    }
    atomic_init(&c->holders, 1);
    c->spool_path = STR("/var/spool/postrider");
    c->spool_reserve = 64ULL << 20;
    c->control_path = STR("/run/postrider/control.sock");
    c->log_level = LOG_INFO;
    c->limits = limits;
    c->user_limits = user_limits;
    c->deliver = deliver;
    c->tls_reports.every = SPAN_D(1);
    c->queue = queue;
    if (!set_retry(c) || !set_networks(c) || !set_listens(c)) {
        config_drop(c);
        return NULL;
    }
    return c;
}

struct config *config_sandbox(struct str data_folder, struct str hostname)
{
    struct config *c = config_new();
    if (!c) {
        return NULL;
    }
    struct arena *a = &c->arena;
    const char *reason = NULL;
    c->sandbox = true;
    c->hostname = arena_copy(a, hostname);
    c->spool_path = arena_format(a, "%.*s/.spool", STR_ARG(data_folder));
    c->control_path = arena_format(a, "%.*s/.control.sock", STR_ARG(data_folder));
    c->vrfy = c->expn = ASK_NETWORKS;
    c->listens[0].at =
        (struct endpoint){.ip = {.family = IP_V4, .bytes = {127, 0, 0, 1}}, .port = SANDBOX_PORT};
    c->listen_count = 1;
    struct str place = arena_format(a, "maildir:%.*s/{domain}/{local}/", STR_ARG(data_folder));
    c->domains = ARENA_NEW(a, struct config_domain);
    if (!c->hostname.ptr || !c->spool_path.ptr || !c->control_path.ptr || !place.ptr ||
        !c->domains || !place_parse_mailboxes(place, a, &c->domains[0].mailboxes, &reason)) {
        config_drop(c);
        return NULL;
    }
    c->domains[0].name = STR("*");
    c->domains[0].any_user = true;
    c->domain_count = 1;
    if (!config_set_completion(c)) {
        config_drop(c);
        return NULL;
    }
    return c;
}
