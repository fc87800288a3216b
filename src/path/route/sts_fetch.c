/* The policy itself, from https://mta-sts.DOMAIN/.well-known/mta-sts.txt (RFC 8461 3.3). */
#include "path/route/sts_inside.h"

static const struct span limit = {30000000};
static const struct span pause = {300000000}; /* after a failure */

static void end_fetch(struct sts_entry *entry, enum sts_trouble trouble, const char *what,
                      struct str detail)
{
    struct instant now = entry->office->ports->clock->wall(entry->office->ports->clock);
    entry->trouble = trouble;
    entry->again = trouble ? instant_add(now, pause) : now;
    buf_clear(&entry->why);
    buf_add_format(&entry->why, "%s%s%.*s", what, detail.len > 0 ? ": " : "", STR_ARG(detail));
    entry->work->fetching = false;
    log_event(entry->office->ports->log, trouble ? LOG_INFO : LOG_DEBUG, "sts-fetched",
              F_STR("domain", entry->domain), F_STR("id", entry->work->id),
              F_STR("text", buf_str(&entry->why)));
    entry->work->then(entry);
}

/* The new policy takes the old one's place, and its memory. */
static void take_policy(struct sts_entry *entry, struct str text)
{
    struct arena memory = {0};
    struct sts_kept kept = {.fetched =
                                entry->office->ports->clock->wall(entry->office->ports->clock)};
    kept.id = arena_copy(&memory, entry->work->id);
    if (!kept.id.ptr || !sts_policy_parse(text, &memory, &kept.policy)) {
        arena_done(&memory);
        end_fetch(entry, STS_NOT_VALID, "what its server gives is no policy", (struct str){0});
        return;
    }
    arena_done(&entry->memory);
    entry->memory = memory;
    entry->kept = kept;
    entry->has = true;
    end_fetch(entry, STS_FINE, "fetched", (struct str){0});
}

static void judge(struct sts_entry *entry, const struct https_request *r)
{
    switch (r->result) {
    case HTTPS_ANSWERED:
        break;
    case HTTPS_CERTIFICATE:
        end_fetch(entry, STS_NOT_TRUSTED, "its web server is not to be trusted",
                  buf_str(&r->reason));
        return;
    case HTTPS_TOO_LONG:
        end_fetch(entry, STS_NOT_VALID, "the policy is over 64 KiB", (struct str){0});
        return;
    case HTTPS_FAILED:
    case HTTPS_TIMEOUT:
        end_fetch(entry, STS_NOT_FETCHED, "its web server cannot be asked", buf_str(&r->reason));
        return;
    }
    if (r->status == 200) {
        take_policy(entry, buf_str(&r->answer));
    } else {
        struct str status = arena_format(&entry->work->arena, "HTTP %d", r->status);
        end_fetch(entry, STS_NOT_FETCHED, "its web server gives no policy", status);
    }
}

static void on_answer(struct https_request *request)
{
    struct sts_entry *entry = CONTAINER_OF(request, struct sts_work, request)->entry;
    struct buf answer = request->answer, reason = request->reason;
    judge(entry, request); /* which may begin the next request */
    buf_done(&answer);
    buf_done(&reason);
}

static void on_addresses(struct addresses_query *query)
{
    struct sts_entry *entry = query->owner;
    struct https *https = entry->office->ports->https;
    if (query->ip_count == 0) {
        end_fetch(entry, STS_NOT_FETCHED, "its web server is not known", query->text);
        return;
    }
    entry->work->request = (struct https_request){
        .done = on_answer,
        .host = query->host,
        .ips = query->ips,
        .ip_count = query->ip_count,
        .port = entry->office->port,
        .path = STR("/.well-known/mta-sts.txt"),
        .limit = STS_POLICY_MAX,
        .time = limit,
    };
    if (!https || !https->ask(https, &entry->work->request)) {
        end_fetch(entry, STS_NOT_FETCHED, "its web server cannot be asked", STR("no HTTPS here"));
    }
}

void sts_fetch(struct sts_entry *entry, void (*then)(struct sts_entry *entry))
{
    struct sts_work *work = entry->work;
    work->then = then;
    work->fetching = true;
    work->request = (struct https_request){0};
    work->addresses = (struct addresses_query){
        .done = on_addresses,
        .ports = entry->office->ports,
        .arena = &work->arena,
        .host = arena_format(&work->arena, "mta-sts.%.*s", STR_ARG(entry->domain)),
        .owner = entry,
    };
    addresses_start(&work->addresses);
}

void sts_fetch_cancel(struct sts_entry *entry)
{
    struct https *https = entry->office->ports->https;
    struct sts_work *work = entry->work;
    if (work->fetching) {
        addresses_cancel(&work->addresses);
        if (https) {
            https->cancel(https, &work->request);
        }
        work->fetching = false;
    }
}
