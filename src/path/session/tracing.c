#include "path/session/tracing.h"

void tracing_keep(struct tracing *t, struct str octets)
{
    buf_add(&t->header, str_head(octets, TRACING_KEPT - t->header.len));
}

static bool answer_name(struct trace_question *q, const struct tracing_client *c)
{
    bool known = c->reverse == REVERSE_VERIFIED || c->reverse == REVERSE_MISMATCH;
    if (q->kind != TRACE_ASK_NAME || !ip_eq(q->ip, ip_unmap(c->ip)) ||
        (!known && c->reverse != REVERSE_NONE)) {
        return false;
    }
    q->names[0] = c->name;
    q->count = known && c->name.len > 0;
    return true;
}

/* Whether a name leads to the client is known of two names only. */
static bool answer_addresses(struct trace_question *q, const struct tracing_client *c)
{
    bool verified = c->reverse == REVERSE_VERIFIED && str_eq_nocase(q->name, c->name);
    bool helo = str_eq_nocase(q->name, c->helo);
    bool matches = verified || (helo && c->helo_finding == HELO_MATCHES);
    if (q->kind != TRACE_ASK_ADDRESSES ||
        (!matches && !(helo && c->helo_finding == HELO_UNRESOLVED))) {
        return false;
    }
    q->ips[0] = ip_unmap(c->ip);
    q->count = matches;
    return true;
}

static bool judge(struct tracing *t, struct trace *trace, const struct tracing_client *client,
                  const struct trace_trust *trust, int64_t now)
{
    if (!trace_ask(trace)) {
        return false;
    }
    for (size_t i = 0; i < trace->question_count; i++) {
        struct trace_question *q = &trace->questions[i];
        q->answered = answer_name(q, client) || answer_addresses(q, client);
    }
    if (!trace_judge(trace, trust, now)) {
        return false;
    }
    t->verdict = trace->verdict;
    t->first_forged = trace->first_forged;
    t->origin = trace->origin_ip;
    return true;
}

void tracing_judge(struct tracing *t, const struct tracing_client *client, struct str received,
                   struct str hostname, int64_t now)
{
    struct arena arena = {0};
    struct buf message = {0};
    struct trace trace;
    const struct trace_trust trust = {.names = &hostname, .name_count = 1, .top = true};
    buf_add(&message, received);
    buf_add(&message, buf_str(&t->header));
    t->judged = !message.failed && !t->header.failed &&
                trace_read(&trace, &arena, buf_str(&message)) &&
                judge(t, &trace, client, &trust, now);
    buf_done(&message);
    arena_done(&arena);
}

void tracing_field(struct buf *out, const struct tracing *t, struct str hostname)
{
    char ip[IP_TEXT_MAX];
    buf_add_format(out, "Authentication-Results: %.*s;\r\n\tx-trace=%s", STR_ARG(hostname),
                   trace_verdict_name(t->verdict));
    if (t->origin.family != IP_NONE) {
        /* In quotes: a token has no colon (RFC 2045 5.1). */
        buf_add_format(out, " policy.origin=\"%.*s\"", STR_ARG(ip_text(t->origin, ip)));
    }
    if (t->first_forged != TRACE_NONE) {
        buf_add_format(out, " policy.first-forged=%zu", t->first_forged);
    }
    buf_add(out, STR("\r\n"));
}

void tracing_done(struct tracing *t)
{
    buf_done(&t->header);
}
