#include "core/mailauth/spf_inside.h"

#include <string.h>

/* Whether the chain found nothing (and that counts, section 4.6.4), or failed; both are dealt with
 * here. True: there are records. */
static bool found(struct spf *s)
{
    switch (s->chain.verdict) {
    case CHAIN_FOUND:
        return true;
    case CHAIN_NODATA:
    case CHAIN_NXDOMAIN:
        if (++s->voids > SPF_VOIDS_MAX) {
            spf_end(s, SPF_PERMERROR,
                    arena_format(s->arena,
                                 "the record of %.*s names more than %d things that the "
                                 "DNS does not know, the last one is %.*s",
                                 STR_ARG(s->domain), SPF_VOIDS_MAX, STR_ARG(s->chain.end)));
        }
        break;
    case CHAIN_LOOP:
    case CHAIN_TOO_LONG:
    case CHAIN_TEMPORARY:
    case CHAIN_ASKING:
        spf_end_temporary(s);
        break;
    }
    return false;
}

/* The text of a TXT record, in the arena. */
static struct str text_of(struct spf *s, const struct dns_record *record)
{
    struct buf text = {0};
    dns_record_text(&text, record);
    struct str copy = text.failed ? (struct str){0} : arena_copy(s->arena, buf_str(&text));
    buf_done(&text);
    return copy;
}

/* Section 4.5: exactly one record may be SPF's. */
static void settle_record(struct spf *s)
{
    struct str chosen = {0};
    size_t count = 0;
    if (s->chain.verdict == CHAIN_NODATA || s->chain.verdict == CHAIN_NXDOMAIN) {
        spf_no_record(s);
        return;
    }
    if (s->chain.verdict != CHAIN_FOUND) {
        spf_end_temporary(s);
        return;
    }
    struct dns_record_iter it = chain_records_begin(&s->chain);
    for (struct dns_record record; chain_record_next(&s->chain, &it, &record);) {
        struct str text = text_of(s, &record);
        if (spf_is_record(text)) {
            chosen = text;
            count++;
        }
    }
    if (count == 0) {
        spf_no_record(s);
    } else if (count > 1) {
        spf_end(s, SPF_PERMERROR,
                arena_format(s->arena, "%.*s has %zu SPF records, and only one may be",
                             STR_ARG(spf_top(s)->domain), count));
    } else {
        spf_take_record(s, chosen);
    }
}

static bool has_address(const struct spf *s)
{
    struct dns_record_iter it = chain_records_begin(&s->chain);
    for (struct dns_record record; chain_record_next(&s->chain, &it, &record);) {
        struct network net = {
            .ip = record.ip,
            .prefix = record.ip.family == IP_V6 ? s->term.prefix6 : s->term.prefix4,
        };
        if (network_contains(net, s->values.ip)) {
            return true;
        }
    }
    return false;
}

static void settle_address(struct spf *s)
{
    if (found(s) && has_address(s)) {
        spf_match(s);
    } else if (s->result == SPF_OPEN) {
        spf_no_match(s);
    }
}

static void settle_exists(struct spf *s)
{
    if (found(s)) {
        spf_match(s);
    } else if (s->result == SPF_OPEN) {
        spf_no_match(s);
    }
}

/* Asks about the next MX host. More than there may be is a mistake, but one that matches before is
 * good (section 4.6.4). */
static void next_host(struct spf *s)
{
    if (s->name_at < s->name_count) {
        spf_ask_address(s, STEP_MX_HOST, s->names[s->name_at++].name);
    } else if (s->names_left_out) {
        spf_end(s, SPF_PERMERROR,
                arena_format(s->arena, "%.*s has more than %d MX hosts", STR_ARG(s->target),
                             SPF_NAMES_MAX));
    } else {
        spf_no_match(s);
    }
}

static bool goes_before(int preference, struct str name, const struct spf_name *other)
{
    return preference != other->rank ? preference < other->rank : str_cmp(name, other->name) < 0;
}

/* Keeps the ten best. Their order is not the answer's, which resolvers turn: with more than ten the
 * result would be a lottery. */
static void add_host(struct spf *s, const struct dns_record *record)
{
    struct buf text = {0};
    size_t at = s->name_count;
    dns_name_format(&text, &record->target);
    while (at > 0 && goes_before(record->preference, buf_str(&text), &s->names[at - 1])) {
        at--;
    }
    s->names_left_out = s->names_left_out || s->name_count == SPF_NAMES_MAX;
    if (at < SPF_NAMES_MAX) {
        size_t last = s->name_count < SPF_NAMES_MAX ? s->name_count++ : SPF_NAMES_MAX - 1;
        memmove(&s->names[at + 1], &s->names[at], (last - at) * sizeof s->names[0]);
        s->names[at] = (struct spf_name){arena_copy(s->arena, buf_str(&text)), record->preference};
    }
    buf_done(&text);
}

static void settle_mx(struct spf *s)
{
    s->name_count = s->name_at = 0;
    s->names_left_out = false;
    if (!found(s)) {
        if (s->result == SPF_OPEN) {
            spf_no_match(s);
        }
        return;
    }
    struct dns_record_iter it = chain_records_begin(&s->chain);
    for (struct dns_record record; chain_record_next(&s->chain, &it, &record);) {
        if (!dns_name_is_root(&record.target)) { /* a null MX (RFC 7505) is no host */
            add_host(s, &record);
        }
    }
    next_host(s);
}

static void settle_mx_host(struct spf *s)
{
    /* A host without an address of this family is there all the same, and does not count. */
    if (s->chain.verdict != CHAIN_NODATA && found(s) && has_address(s)) {
        spf_match(s);
    } else if (s->result == SPF_OPEN) {
        next_host(s);
    }
}

static void settle_exp(struct spf *s)
{
    struct dns_record_iter it = chain_records_begin(&s->chain);
    struct dns_record record;
    struct dns_record second;
    if (s->chain.verdict == CHAIN_FOUND && chain_record_next(&s->chain, &it, &record) &&
        !chain_record_next(&s->chain, &it, &second)) {
        s->exp_text = text_of(s, &record);
        s->phase = PHASE_EXPLAIN_TEXT;
    } else {
        spf_end(s, SPF_FAIL, s->reason);
    }
}

void spf_settle(struct spf *s)
{
    static void (*const settlers[])(struct spf *) = {
        [STEP_RECORD] = settle_record,   [STEP_ADDRESS] = settle_address,
        [STEP_EXISTS] = settle_exists,   [STEP_MX] = settle_mx,
        [STEP_MX_HOST] = settle_mx_host, [STEP_PTR] = spf_take_names,
        [STEP_PTR_NAME] = spf_take_name, [STEP_EXP] = settle_exp,
    };
    uint8_t step = s->step;
    s->step = STEP_NONE;
    settlers[step](s);
}
