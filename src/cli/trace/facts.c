#include "cli/trace/facts.h"

#include "control/answer.h"

/* Not said: null. */
static json_t *text(struct str s)
{
    return s.len > 0 ? answer_text(s) : json_null();
}

static json_t *address(struct ip ip)
{
    char chars[IP_TEXT_MAX];
    return ip.family == IP_NONE ? json_null() : answer_text(ip_text(ip, chars));
}

static json_t *index_of(size_t index)
{
    return index == TRACE_NONE ? json_null() : json_integer((json_int_t)index);
}

static json_t *reasons(const struct trace_reason *first)
{
    json_t *list = json_array();
    for (const struct trace_reason *r = first; r; r = r->next) {
        json_array_append_new(list, json_pack("{s:s, s:o, s:i}", "rule", r->rule->name, "text",
                                              answer_text(r->text), "weight", r->weight));
    }
    return list;
}

static json_t *tls(const struct received *r)
{
    if (r->tls_version.len == 0 && r->tls_cipher.len == 0) {
        return json_null();
    }
    return json_pack("{s:o, s:o}", "version", text(r->tls_version), "cipher", text(r->tls_cipher));
}

static json_t *hop(const struct trace_hop *h, size_t index)
{
    const struct received *r = &h->received;
    json_t *from = json_pack("{s:o, s:o, s:o}", "helo", text(r->helo), "name", text(r->rdns), "ip",
                             address(r->ip));
    json_t *value = json_pack("{s:i, s:i, s:o}", "index", (int)index, "position", (int)h->position,
                              "from", from);
    const struct {
        const char *name;
        json_t *value;
    } members[] = {
        {"by", text(r->by)},
        {"with", text(r->with)},
        {"id", text(r->id)},
        {"for", text(r->recipient)},
        {"via", text(r->via)},
        {"envfrom", text(r->envelope_from)},
        {"ident", text(r->ident)},
        {"auth", text(r->auth)},
        {"tls", tls(r)},
        {"date", r->date.known ? json_integer(r->date.seconds) : json_null()},
        {"software", text(r->software.name)},
        {"software_certainty", json_integer(r->software.certainty)},
        {"delay_s", h->delay == TRACE_NO_DELAY ? json_null() : json_integer(h->delay)},
        {"trusted", json_boolean(h->trusted)},
        {"verdict", json_string(trace_verdict_name(h->verdict))},
        {"score", json_integer(h->score)},
        {"reasons", reasons(h->reasons)},
    };
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        json_object_set_new(value, members[i].name, members[i].value);
    }
    return value;
}

static json_t *witness(const struct witness *w)
{
    return json_pack("{s:o, s:i, s:o, s:o, s:o, s:o}", "field", text(w->name), "position",
                     (int)w->position, "by", text(w->by), "host", text(w->host), "ip",
                     address(w->ip), "result", text(w->result));
}

static json_t *left_out(const struct trace *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->left_out_count; i++) {
        json_array_append_new(list, json_pack("{s:s, s:s}", "rule", t->left_out[i]->name, "text",
                                              t->left_out[i]->meaning));
    }
    return list;
}

static json_t *summary(const struct trace_view *view)
{
    struct buf words = {0};
    words_finding(&words, view);
    json_t *value = answer_text(buf_str(&words));
    buf_done(&words);
    return value;
}

json_t *facts_of_trace(const struct trace_view *view)
{
    const struct trace *t = view->trace;
    json_t *hops = json_array();
    json_t *witnesses = json_array();
    for (size_t i = 0; i < t->hop_count; i++) {
        json_array_append_new(hops, hop(&t->hops[i], i));
    }
    for (size_t i = 0; i < t->witness_count; i++) {
        json_array_append_new(witnesses, witness(&t->witnesses[i]));
    }
    json_t *value = json_pack("{s:o, s:s, s:o}", "source", text(view->source), "verdict",
                              trace_verdict_name(t->verdict), "summary", summary(view));
    const struct {
        const char *name;
        json_t *value;
    } members[] = {
        {"origin", json_pack("{s:o, s:o, s:o}", "ip", address(t->origin_ip), "name",
                             text(t->origin_name), "hop", index_of(t->origin))},
        {"boundary",
         json_pack("{s:o, s:o}", "index", index_of(t->boundary), "ip", address(t->boundary_ip))},
        {"first_forged", index_of(t->first_forged)},
        {"hops", hops},
        {"reasons", reasons(t->reasons)},
        {"witnesses", witnesses},
        {"left_out", left_out(t)},
        {"truncated", json_boolean(t->truncated)},
    };
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        json_object_set_new(value, members[i].name, members[i].value);
    }
    return value;
}
