#include "cli/check_lookup.h"

static void on_answer(struct resolver_query *query)
{
    struct records *r = CONTAINER_OF(query, struct records, query);
    r->message.len = 0;
    r->result = query->result;
    if (query->result == RESOLVER_ANSWERED) {
        buf_add(&r->message, query->answer);
    }
    loop_stop(r->loop);
}

struct dns_answer records_ask(struct records *r, const struct dns_question *question)
{
    const struct ports *ports = loop_ports(r->loop);
    r->query = (struct resolver_query){.done = on_answer};
    ports->resolver->ask(ports->resolver, &r->query, question->name, question->type);
    loop_run(r->loop);
    return (struct dns_answer){.arrival = r->result == RESOLVER_ANSWERED  ? DNS_ARRIVED
                                          : r->result == RESOLVER_TIMEOUT ? DNS_TIMEOUT
                                                                          : DNS_BROKEN,
                               .secure = r->query.secure,
                               .message = buf_str(&r->message)};
}

void records_look_up(struct records *r, struct chain *chain, struct str name, uint16_t type)
{
    struct dns_question question;
    chain_start(chain, &r->arena, NULL, name, type);
    while (chain->verdict == CHAIN_ASKING && chain_question(chain, &question)) {
        struct dns_answer answer = records_ask(r, &question);
        chain_answer(chain, &answer);
    }
}

bool records_answered(struct records *r, const struct chain *chain, const char *what,
                      struct str name)
{
    if (chain->verdict == CHAIN_TEMPORARY) {
        finding_add(r->findings, FINDING_NOTE, "dns", "%s of %.*s: the DNS does not answer (%s)",
                    what, STR_ARG(name), chain->reason ? chain->reason : "time-out");
        return false;
    }
    return true;
}

struct str records_find_text(struct records *r, struct str name, struct str begin, const char *what)
{
    struct chain chain;
    struct str found = {0};
    records_look_up(r, &chain, name, DNS_TXT);
    if (!records_answered(r, &chain, what, name)) {
        return STR("?");
    }
    if (chain.verdict != CHAIN_FOUND) {
        return found;
    }
    struct dns_record_iter it = chain_records_begin(&chain);
    for (struct dns_record record; found.len == 0 && chain_record_next(&chain, &it, &record);) {
        struct buf text = {0};
        dns_record_text(&text, &record);
        if (str_starts(buf_str(&text), begin)) {
            found = arena_copy(&r->arena, buf_str(&text));
        }
        buf_done(&text);
    }
    return found;
}
