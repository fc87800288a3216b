#include "core/dns/hostcheck.h"

#include "core/dns/idn.h"

#include <string.h>

static void begin(struct hostcheck *h, struct arena *arena, struct ip ip)
{
    memset(h, 0, sizeof *h);
    h->arena = arena;
    h->ip = ip_unmap(ip);
    h->notes.arena = arena;
}

static uint16_t type_of(enum ip_family family)
{
    return family == IP_V6 ? DNS_AAAA : DNS_A;
}

static void add_slot(struct hostcheck *h, struct str name, uint16_t type)
{
    struct chain *chain = &h->slots[h->slot_count].chain;
    memset(&h->slots[h->slot_count], 0, sizeof h->slots[0]);
    h->slots[h->slot_count].name = name;
    h->slot_count++;
    chain_start(chain, h->arena, &h->notes, name, type);
}

static void end_reverse(struct hostcheck *h, enum hostcheck_reverse_finding finding)
{
    h->reverse = finding;
    h->done = true;
    if (finding == REVERSE_VERIFIED) {
        h->claimed = (struct str){0};
    }
}

static void end_helo(struct hostcheck *h, enum hostcheck_helo_finding finding)
{
    h->helo = finding;
    h->done = true;
}

static bool has_address(const struct hostcheck *h, const struct chain *chain)
{
    struct dns_record_iter it = chain_records_begin(chain);
    for (struct dns_record record; chain_record_next(chain, &it, &record);) {
        if (ip_eq(ip_unmap(record.ip), h->ip)) {
            return true;
        }
    }
    return false;
}

/* The names of the address, each once, become the questions of the second round. */
static void start_forward(struct hostcheck *h)
{
    struct chain reverse = h->slots[0].chain;
    struct dns_record_iter it = chain_records_begin(&reverse);
    h->forward = true;
    h->slot_count = 0;
    for (struct dns_record record; chain_record_next(&reverse, &it, &record);) {
        struct str text = dns_name_text(&record.target, h->arena);
        struct str name = arena_lower(h->arena, text);
        bool known = false;
        for (size_t i = 0; i < h->slot_count; i++) {
            known = known || str_eq(h->slots[i].name, name);
        }
        if (known || !name.ptr || dns_name_is_root(&record.target)) {
            continue;
        }
        if (h->slot_count == HOSTCHECK_NAMES_MAX) {
            dns_note_add(&h->notes, "further names of the address are not looked at");
            break;
        }
        add_slot(h, name, type_of(h->ip.family));
    }
    if (h->slot_count == 0) {
        end_reverse(h, REVERSE_NONE);
        return;
    }
    h->claimed = h->slots[0].name;
}

static void after_ptr(struct hostcheck *h)
{
    switch (h->slots[0].chain.verdict) {
    case CHAIN_ASKING:
        break;
    case CHAIN_FOUND:
        start_forward(h);
        break;
    case CHAIN_NODATA:
    case CHAIN_NXDOMAIN:
    case CHAIN_LOOP:
    case CHAIN_TOO_LONG:
        end_reverse(h, REVERSE_NONE);
        break;
    case CHAIN_TEMPORARY:
        end_reverse(h, REVERSE_TEMPORARY);
        break;
    }
}

/* The first name in the order of the answer wins as soon as all before it are settled, so that the
 * order of arrival changes nothing. */
static void after_forward(struct hostcheck *h)
{
    bool temporary = false;
    for (size_t i = 0; i < h->slot_count; i++) {
        if (!h->slots[i].settled) {
            return;
        }
        if (h->slots[i].matches) {
            h->name = h->slots[i].name;
            end_reverse(h, REVERSE_VERIFIED);
            return;
        }
        temporary = temporary || h->slots[i].chain.verdict == CHAIN_TEMPORARY;
    }
    end_reverse(h, temporary ? REVERSE_TEMPORARY : REVERSE_MISMATCH);
}

static void after_helo(struct hostcheck *h)
{
    bool open = false;
    bool found = false;
    bool temporary = false;
    for (size_t i = 0; i < h->slot_count; i++) {
        if (h->slots[i].matches) {
            end_helo(h, HELO_MATCHES);
            return;
        }
        open = open || !h->slots[i].settled;
        found = found || h->slots[i].chain.verdict == CHAIN_FOUND;
        temporary = temporary || h->slots[i].chain.verdict == CHAIN_TEMPORARY;
    }
    if (open) {
        return;
    }
    /* What did not answer might have matched. */
    end_helo(h, temporary ? HELO_TEMPORARY : found ? HELO_ELSEWHERE : HELO_UNRESOLVED);
}

/* Looks at every chain that ended since, then at what they mean together. */
static void settle(struct hostcheck *h)
{
    bool of_names = h->of_helo || h->forward;
    for (size_t i = 0; i < h->slot_count; i++) {
        struct chain *chain = &h->slots[i].chain;
        if (chain->verdict != CHAIN_ASKING && !h->slots[i].settled) {
            h->slots[i].settled = true;
            h->slots[i].matches =
                of_names && chain->verdict == CHAIN_FOUND && has_address(h, chain);
        }
    }
    if (h->of_helo) {
        after_helo(h);
    } else if (h->forward) {
        after_forward(h);
    } else {
        after_ptr(h);
    }
}

void hostcheck_reverse(struct hostcheck *h, struct arena *arena, struct ip ip)
{
    begin(h, arena, ip);
    h->helo = HELO_UNRESOLVED;
    struct buf name = {0};
    ip_reverse_name(&name, h->ip);
    add_slot(h, buf_str(&name), DNS_PTR);
    buf_done(&name);
    settle(h);
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]": an address literal (RFC 5321 4.1.3). */
static bool parse_literal(struct str helo, struct ip *ip)
{
    struct str inside = str_head(str_tail(helo, 1), helo.len - 2);
    if (str_starts_nocase(inside, STR("IPv6:"))) {
        return ip_parse_v6(str_tail(inside, 5), ip);
    }
    return ip_parse_v4(inside, ip);
}

void hostcheck_helo(struct hostcheck *h, struct arena *arena, struct ip ip, struct str helo)
{
    begin(h, arena, ip);
    h->of_helo = true;
    h->reverse = REVERSE_NONE;
    if (helo.len > 2 && helo.ptr[0] == '[' && helo.ptr[helo.len - 1] == ']') {
        struct ip literal;
        bool parsed = parse_literal(helo, &literal);
        bool same = parsed && ip_eq(ip_unmap(literal), h->ip);
        end_helo(h, same ? HELO_MATCHES : parsed ? HELO_ELSEWHERE : HELO_UNRESOLVED);
        return;
    }
    struct buf ascii = {0};
    if (idn_to_ascii(&ascii, helo)) {
        struct str name = arena_copy(arena, buf_str(&ascii));
        add_slot(h, name, type_of(h->ip.family));
        add_slot(h, name, type_of(h->ip.family == IP_V6 ? IP_V4 : IP_V6));
        settle(h);
    } else {
        end_helo(h, HELO_UNRESOLVED);
    }
    buf_done(&ascii);
}

bool hostcheck_question(struct hostcheck *h, struct dns_question *question)
{
    for (size_t i = 0; i < h->slot_count && !h->done; i++) {
        if (chain_question(&h->slots[i].chain, question)) {
            question->id = (uint32_t)i;
            return true;
        }
    }
    return false;
}

void hostcheck_answer(struct hostcheck *h, uint32_t id, const struct dns_answer *answer)
{
    if (h->done || id >= h->slot_count) {
        return;
    }
    chain_answer(&h->slots[id].chain, answer);
    settle(h);
}

void hostcheck_give_up(struct hostcheck *h)
{
    if (h->done) {
        return;
    }
    dns_note_add(&h->notes, "the DNS took too long");
    if (h->of_helo) {
        end_helo(h, HELO_TEMPORARY);
    } else {
        end_reverse(h, REVERSE_TEMPORARY);
    }
}
