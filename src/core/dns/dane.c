#include "core/dns/dane.h"

#include <string.h>

enum step {
    STEP_A,
    STEP_AAAA,    /* there is no A */
    STEP_ALIAS,   /* the host is an alias into an unsigned zone: is the alias itself signed? */
    STEP_END,     /* TLSA at the end of the CNAMEs */
    STEP_INITIAL, /* TLSA at the host's name as it was given */
};

static void end_with(struct dane *d, enum dane_verdict verdict, const char *reason)
{
    d->verdict = verdict;
    d->reason = reason;
    if (reason) {
        dns_note_add(&d->notes, "%.*s: %s", STR_ARG(d->host), reason);
    }
}

static void ask_addresses(struct dane *d, enum step step)
{
    d->step = (uint8_t)step;
    chain_start(&d->chain, d->arena, NULL, d->host, step == STEP_A ? DNS_A : DNS_AAAA);
}

static void ask_tlsa(struct dane *d, enum step step, struct str base)
{
    struct str name = arena_format(d->arena, "_%u._tcp.%.*s", (unsigned)d->port, STR_ARG(base));
    d->step = (uint8_t)step;
    d->base = base;
    if (!name.ptr || !base.ptr) {
        end_with(d, DANE_FAILED, "no memory");
        return;
    }
    chain_start(&d->chain, d->arena, &d->notes, name, DNS_TLSA);
}

static void after_addresses(struct dane *d)
{
    const struct chain *c = &d->chain;
    if (c->verdict == CHAIN_TEMPORARY) {
        end_with(d, DANE_FAILED, c->reason);
    } else if (c->verdict == CHAIN_NODATA && c->secure && d->step == STEP_A) {
        ask_addresses(d, STEP_AAAA);
    } else if (c->verdict == CHAIN_FOUND && c->secure) {
        ask_tlsa(d, STEP_END, arena_lower(d->arena, c->end));
    } else if (c->verdict == CHAIN_FOUND && c->name_count > 1) {
        d->step = STEP_ALIAS;
        chain_start(&d->chain, d->arena, NULL, d->host, DNS_CNAME);
    } else if (c->verdict == CHAIN_FOUND) {
        end_with(d, DANE_NONE, "its addresses are not signed: no DANE");
    } else {
        end_with(d, DANE_NONE, "it has no address: no DANE");
    }
}

static void after_alias(struct dane *d)
{
    const struct chain *c = &d->chain;
    if (c->verdict == CHAIN_TEMPORARY) {
        end_with(d, DANE_FAILED, c->reason);
    } else if (c->verdict == CHAIN_FOUND && c->secure) {
        ask_tlsa(d, STEP_INITIAL, d->host);
    } else {
        end_with(d, DANE_NONE, "it is an alias that is not signed: no DANE");
    }
}

static void note_record(struct dane *d, const struct tlsa *record, const char *fault)
{
    struct buf text = {0};
    tlsa_format(&text, record);
    dns_note_add(&d->notes, "%.*s has TLSA %.*s%s%s", STR_ARG(d->base), STR_ARG(buf_str(&text)),
                 fault ? ": not used, " : "", fault ? fault : "");
    buf_done(&text);
}

static void take_records(struct dane *d)
{
    struct dns_record_iter it = chain_records_begin(&d->chain);
    size_t seen = 0;
    d->records = arena_array(d->arena, DANE_RECORDS_MAX, sizeof *d->records);
    if (!d->records) {
        end_with(d, DANE_FAILED, "no memory");
        return;
    }
    for (struct dns_record r; seen < DANE_RECORDS_MAX && chain_record_next(&d->chain, &it, &r);
         seen++) {
        struct tlsa record = {r.tlsa.usage, r.tlsa.selector, r.tlsa.matching, r.tlsa.data};
        const char *fault = tlsa_fault(&record);
        note_record(d, &record, fault);
        if (!fault) {
            d->records[d->count++] = record;
        }
    }
    if (d->count > 0) {
        end_with(d, DANE_USABLE, NULL);
    } else {
        end_with(d, DANE_UNUSABLE, "no TLSA record of it can be used: TLS without authentication");
    }
}

static void after_tlsa(struct dane *d)
{
    const struct chain *c = &d->chain;
    switch (c->verdict) {
    case CHAIN_ASKING:
        return;
    case CHAIN_FOUND:
        if (c->secure) {
            take_records(d);
            return;
        }
        break;
    case CHAIN_LOOP:
    case CHAIN_TOO_LONG:
        end_with(d, DANE_FAILED, "its TLSA record is an alias that leads nowhere");
        return;
    case CHAIN_TEMPORARY:
        end_with(d, DANE_FAILED, c->reason);
        return;
    case CHAIN_NODATA:
    case CHAIN_NXDOMAIN:
        break;
    }
    if (d->step == STEP_END && !str_eq_nocase(d->base, d->host)) {
        ask_tlsa(d, STEP_INITIAL, d->host);
    } else {
        end_with(d, DANE_NONE, "no signed TLSA record: no DANE");
    }
}

/* Acts on every chain that ended; starting the next one may end it at once. */
static void advance(struct dane *d)
{
    static void (*const after[])(struct dane * d) = {
        [STEP_A] = after_addresses, [STEP_AAAA] = after_addresses, [STEP_ALIAS] = after_alias,
        [STEP_END] = after_tlsa,    [STEP_INITIAL] = after_tlsa,
    };
    while (d->verdict == DANE_ASKING && d->chain.verdict != CHAIN_ASKING) {
        after[d->step](d);
    }
}

void dane_start(struct dane *d, struct arena *arena, struct str host, uint16_t port)
{
    memset(d, 0, sizeof *d);
    d->arena = arena;
    d->notes.arena = arena;
    d->port = port;
    d->host = arena_lower(arena, str_ends(host, STR(".")) ? str_head(host, host.len - 1) : host);
    if (!d->host.ptr) {
        end_with(d, DANE_FAILED, "no memory");
        return;
    }
    ask_addresses(d, STEP_A);
    advance(d);
}

bool dane_question(struct dane *d, struct dns_question *question)
{
    return d->verdict == DANE_ASKING && chain_question(&d->chain, question);
}

void dane_answer(struct dane *d, const struct dns_answer *answer)
{
    if (d->verdict == DANE_ASKING) {
        chain_answer(&d->chain, answer);
        advance(d);
    }
}
