/* finding.c: the finding in sentences, for words.h. */
#include "cli/trace/words.h"

static void add_line(struct buf *out, size_t hop)
{
    buf_add_format(out, "line %zu", hop + 1);
}

static bool origin_is_known(const struct trace *t)
{
    return t->origin != TRACE_NONE && (t->origin_ip.family != IP_NONE || t->origin_name.len > 0);
}

static void origin(struct buf *out, const struct trace *t)
{
    if (t->hop_count == 0) {
        buf_add(out, STR("There are no Received lines: nothing tells which way the message came."));
        return;
    }
    if (!origin_is_known(t)) {
        buf_add(out, STR("Its origin is not known: no line that can be believed names it."));
        return;
    }
    const struct received *r = &t->hops[t->origin].received;
    buf_add(out, STR("True origin: "));
    words_host(out, t->origin_ip, t->origin_name);
    if (t->origin_ip.family == IP_NONE && str_eq_nocase(t->origin_name, r->by)) {
        buf_add(out, STR(" itself, where it was submitted"));
    } else {
        buf_add(out, STR(", handed over to "));
        words_writer(out, r);
    }
    if (r->date.known) {
        buf_add(out, STR(" on "));
        words_time(out, r->date.seconds);
    }
    buf_add(out, STR(" ("));
    add_line(out, t->origin);
    buf_add(out, STR(")."));
}

/* Of the reasons against a hop, the one that weighs most; null: none. */
static const struct trace_reason *worst(const struct trace_reason *reason)
{
    const struct trace_reason *found = NULL;
    for (; reason; reason = reason->next) {
        if (reason->weight < 0 && (!found || reason->weight < found->weight)) {
            found = reason;
        }
    }
    return found;
}

static void forged(struct buf *out, const struct trace *t)
{
    size_t first = t->first_forged;
    const struct trace_reason *why = worst(t->hops[first].reasons);
    if (first == 0) {
        buf_add(out, STR("\nEvery line is forged."));
    } else {
        buf_add_format(out, "\nEverything below line %zu is forged.", first);
    }
    if (why) {
        buf_add_format(out, " Line %zu: %.*s.", first + 1, STR_ARG(why->text));
    }
}

/* Why the origin is not sought further down. */
static void suspect(struct buf *out, const struct trace *t)
{
    size_t below = t->origin + 1;
    const struct trace_reason *why = worst(t->hops[below].reasons);
    buf_add_format(out, "\nIt may have come there from further away: line %zu is suspect",
                   below + 1);
    if (why) {
        buf_add_format(out, ": %.*s", STR_ARG(why->text));
    }
    buf_add_char(out, '.');
}

/* How much of that is fact. */
static void standing(struct buf *out, const struct trace *t)
{
    if (t->origin == t->boundary) {
        buf_add(out, STR("\nThat origin is a fact, if you trust who wrote "));
        add_line(out, t->boundary);
        buf_add(out, STR(" (see below)."));
        return;
    }
    buf_add(out, STR("\nFact is, if you trust who wrote "));
    add_line(out, t->boundary);
    buf_add(out, STR(": it came there from "));
    words_host(out, t->boundary_ip, t->hops[t->boundary].received.rdns);
    buf_add(out, STR(". The lines below are the word of others; down to "));
    add_line(out, t->origin);
    buf_add(out, STR(" nothing contradicts them."));
}

void words_finding(struct buf *out, const struct trace_view *view)
{
    const struct trace *t = view->trace;
    origin(out, t);
    if (origin_is_known(t) && t->origin + 1 < t->hop_count &&
        t->hops[t->origin + 1].verdict == TRACE_SUSPECT) {
        suspect(out, t);
    }
    if (t->first_forged != TRACE_NONE) {
        forged(out, t);
    }
    if (t->boundary != TRACE_NONE && origin_is_known(t) && t->boundary <= t->origin) {
        standing(out, t);
    }
    for (const struct trace_reason *r = t->reasons; r; r = r->next) {
        buf_add_format(out, "\nOf the whole message: %.*s.", STR_ARG(r->text));
    }
    if (t->truncated) {
        buf_add_format(out, "\nOnly the first %d Received lines were read.", (int)TRACE_HOPS_MAX);
    }
}

static void trust(struct buf *out, const struct trace_view *view)
{
    const struct trace *t = view->trace;
    if (t->boundary == TRACE_NONE) {
        buf_add(out, STR("No line is by a host that you trust: all are the word of others."));
        return;
    }
    if (t->boundary == 0) {
        buf_add(out, STR("Trusted is line 1, the top one"));
    } else {
        buf_add_format(out, "Trusted are lines 1 to %zu", t->boundary + 1);
    }
    buf_add(out, view->trust_named
                     ? STR(", by --trust.")
                     : STR(", as written by the server where the message lies. To trust more, or "
                           "others, name them: --trust mx.example.org, --trust .example.org, "
                           "--trust 192.0.2.0/24."));
}

void words_ground(struct buf *out, const struct trace_view *view)
{
    const struct trace *t = view->trace;
    if (t->hop_count == 0) {
        return;
    }
    trust(out, view);
    if (t->left_out_count > 0) {
        buf_add(out, view->offline ? STR("\nLeft out, as the DNS was not asked (--offline):")
                                   : STR("\nLeft out, as the DNS did not answer:"));
        for (size_t i = 0; i < t->left_out_count; i++) {
            buf_add_format(out, "%s %s", i > 0 ? "," : "", t->left_out[i]->name);
        }
        buf_add_char(out, '.');
    }
}
