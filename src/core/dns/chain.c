#include "core/dns/chain.h"

#include <string.h>

static void end_with(struct chain *c, enum chain_verdict verdict)
{
    c->verdict = verdict;
    c->secure = c->secure && verdict != CHAIN_TEMPORARY;
}

static void end_temporary(struct chain *c, const char *reason)
{
    c->reason = reason;
    dns_note_add(c->notes, "%.*s: asked for %.*s: %s", STR_ARG(c->end),
                 STR_ARG(dns_type_text(c->type, c->arena)), reason);
    end_with(c, CHAIN_TEMPORARY);
}

void chain_start(struct chain *c, struct arena *arena, struct dns_notes *notes, struct str name,
                 uint16_t type)
{
    memset(c, 0, sizeof *c);
    c->arena = arena;
    c->notes = notes;
    c->type = type;
    c->secure = true;
    if (name.len > 1 && name.ptr[name.len - 1] == '.') {
        name.len--;
    }
    c->end = c->names[0] = arena_copy(arena, name);
    c->name_count = 1;
    struct dns_name checked;
    if (!c->end.ptr) {
        end_temporary(c, "no memory");
    } else if (!dns_name_parse(name, &checked)) {
        dns_note_add(notes, "%.*s is no name that the DNS can hold", STR_ARG(name));
        end_with(c, CHAIN_NXDOMAIN);
    }
}

bool chain_question(struct chain *c, struct dns_question *question)
{
    if (c->verdict != CHAIN_ASKING || c->asked) {
        return false;
    }
    question->id = 0;
    question->name = c->end;
    question->type = c->stepping ? DNS_CNAME : c->type;
    c->asked = true;
    return true;
}

/* Goes on to `target`; false where that ends it. */
static bool follow(struct chain *c, const struct dns_name *target)
{
    struct str text = dns_name_text(target, c->arena);
    if (!text.ptr) {
        end_temporary(c, "no memory");
        return false;
    }
    dns_note_add(c->notes, "%.*s is an alias (CNAME) of %.*s", STR_ARG(c->end), STR_ARG(text));
    c->end = text;
    for (size_t i = 0; i < c->name_count; i++) {
        if (str_eq_nocase(c->names[i], text)) {
            dns_note_add(c->notes, "these aliases lead in a circle");
            end_with(c, CHAIN_LOOP);
            return false;
        }
    }
    if (c->name_count > CHAIN_MAX) {
        dns_note_add(c->notes, "these are more than %d aliases in a row", CHAIN_MAX);
        end_with(c, CHAIN_TOO_LONG);
        return false;
    }
    c->names[c->name_count++] = text;
    return true;
}

/* The CNAME of the present end in the answer. */
static bool find_cname(const struct chain *c, const struct dns_message *m, struct dns_name *target)
{
    struct dns_name end;
    struct dns_record_iter it = dns_records_begin(m, DNS_ANSWER);
    if (!dns_name_parse(c->end, &end)) {
        return false;
    }
    for (struct dns_record record; dns_record_next(&it, &record);) {
        if (record.type == DNS_CNAME && record.class == DNS_CLASS_IN &&
            dns_name_eq(&record.name, &end)) {
            *target = record.target;
            return true;
        }
    }
    return false;
}

static bool holds_wanted(struct chain *c)
{
    struct dns_record_iter it = chain_records_begin(c);
    struct dns_record record;
    return chain_record_next(c, &it, &record);
}

/* An SOA among the authority says that the answer is whole: there is nothing at the end. */
static bool holds_soa(const struct dns_message *m)
{
    struct dns_record_iter it = dns_records_begin(m, DNS_AUTHORITY);
    for (struct dns_record record; dns_record_next(&it, &record);) {
        if (record.type == DNS_SOA) {
            return true;
        }
    }
    return false;
}

/* Keeps the answer with the records: the caller's bytes are only lent. */
static void end_found(struct chain *c)
{
    struct str copy = arena_copy(c->arena, c->message.bytes);
    if (!copy.ptr || !dns_message_parse(copy, &c->message)) {
        end_temporary(c, "no memory");
        return;
    }
    end_with(c, CHAIN_FOUND);
}

/* An answer to the question itself. */
static void take_records(struct chain *c)
{
    size_t walked = 0;
    struct dns_name target;
    while (c->type != DNS_CNAME && find_cname(c, &c->message, &target)) {
        if (!follow(c, &target)) {
            return;
        }
        walked++;
    }
    if (c->message.rcode == DNS_NXDOMAIN) {
        end_with(c, CHAIN_NXDOMAIN); /* of the last name: RFC 6604 */
    } else if (holds_wanted(c)) {
        end_found(c);
    } else if (walked == 0 || holds_soa(&c->message)) {
        end_with(c, CHAIN_NODATA);
    }
    /* Otherwise the answer leads elsewhere and stops: ask there. */
}

/* An answer to "which CNAME stands here?", while a SERVFAIL is being explained. */
static void take_step(struct chain *c)
{
    struct dns_name target;
    bool moved = false;
    while (find_cname(c, &c->message, &target)) {
        if (!follow(c, &target)) {
            return;
        }
        moved = true;
    }
    if (moved) {
        return;
    }
    if (c->name_count == c->stepped_from) {
        end_temporary(c, "the name servers fail (SERVFAIL)");
        return;
    }
    /* The end of the chain: ask it for what is wanted, without the way there. */
    c->stepping = false;
}

static const char *failure_of(const struct chain *c, const struct dns_answer *answer)
{
    switch (answer->arrival) {
    case DNS_ARRIVED:
        break;
    case DNS_TIMEOUT:
        return "no name server answered in time";
    case DNS_BROKEN:
        return "the name servers fail (SERVFAIL)";
    case DNS_FORGED:
        return "DNSSEC says that the answer is forged";
    }
    switch (c->message.rcode) {
    case DNS_NOERROR:
    case DNS_NXDOMAIN:
        return NULL;
    case DNS_SERVFAIL:
        return "the name servers fail (SERVFAIL)";
    case DNS_REFUSED:
        return "the name servers refuse to answer (REFUSED)";
    default:
        return "the name servers answer with an error";
    }
}

/* The answer is a message, whole, and to our question. */
static bool understood(struct chain *c, struct str bytes)
{
    struct dns_name end;
    return dns_message_parse(bytes, &c->message) && !c->message.truncated &&
           (!c->message.has_question ||
            (c->message.question_type == (c->stepping ? DNS_CNAME : c->type) &&
             dns_name_parse(c->end, &end) && dns_name_eq(&end, &c->message.question)));
}

void chain_answer(struct chain *c, const struct dns_answer *answer)
{
    if (c->verdict != CHAIN_ASKING || !c->asked) {
        return;
    }
    c->asked = false;
    c->secure = c->secure && answer->secure;
    if (answer->arrival == DNS_ARRIVED && !understood(c, answer->message)) {
        end_temporary(c, "the answer is not understood");
        return;
    }
    const char *failure = failure_of(c, answer);
    bool servfail = answer->arrival == DNS_BROKEN ||
                    (answer->arrival == DNS_ARRIVED && c->message.rcode == DNS_SERVFAIL);
    /* A chain is stepped along once from each name: twice the same SERVFAIL is what it says. */
    if (servfail && !c->stepping && c->stepped_from < c->name_count && c->type != DNS_CNAME) {
        c->stepping = true;
        c->stepped_from = c->name_count;
    } else if (failure) {
        end_temporary(c, failure);
    } else if (c->stepping) {
        take_step(c);
    } else {
        take_records(c);
    }
}

struct dns_record_iter chain_records_begin(const struct chain *c)
{
    return dns_records_begin(&c->message, DNS_ANSWER);
}

bool chain_record_next(const struct chain *c, struct dns_record_iter *it, struct dns_record *record)
{
    struct dns_name end;
    if (!dns_name_parse(c->end, &end)) {
        return false;
    }
    while (dns_record_next(it, record)) {
        if (record->type == c->type && record->class == DNS_CLASS_IN &&
            dns_name_eq(&record->name, &end)) {
            return true;
        }
    }
    return false;
}
