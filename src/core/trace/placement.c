/* placement.c: where in the header the lines stand. Each server writes on top of what it got. */
#include "core/trace/judging.h"

/* The first field at or below which both From and Date stand above: the author's own block. */
static size_t end_of_trace(const struct trace *t)
{
    size_t from = TRACE_NONE, date = TRACE_NONE;
    for (size_t i = 0; i < t->witness_count; i++) {
        const struct witness *w = &t->witnesses[i];
        from = w->kind == WITNESS_FROM && from == TRACE_NONE ? w->position : from;
        date = w->kind == WITNESS_DATE && date == TRACE_NONE ? w->position : date;
    }
    return from == TRACE_NONE || date == TRACE_NONE ? TRACE_NONE : from > date ? from : date;
}

static bool is_arc(const struct witness *w)
{
    return w->kind == WITNESS_ARC_SEAL || w->kind == WITNESS_ARC_SIGNATURE ||
           w->kind == WITNESS_ARC_RESULTS;
}

/* The lines between two fields of one ARC set, which a server writes at once (RFC 8617 5.1). */
static void judge_sets(struct judge *j)
{
    const struct trace *t = j->t;
    const struct witness *last = NULL;
    for (size_t hop = 0, w = 0; hop < t->hop_count; hop++) {
        for (; w < t->witness_count && t->witnesses[w].position < t->hops[hop].position; w++) {
            last = is_arc(&t->witnesses[w]) ? &t->witnesses[w] : last;
        }
        const struct witness *next = NULL;
        for (size_t n = w; n < t->witness_count && n < w + 4 && !next; n++) {
            next = is_arc(&t->witnesses[n]) ? &t->witnesses[n] : NULL;
        }
        if (last && next && last->instance != 0 && last->instance == next->instance &&
            last->kind != next->kind && !t->hops[hop].trusted) {
            judge_note(
                j, hop, RULE_PLACEMENT_SET,
                arena_format(j->arena, "stands inside the ARC set of instance %u", last->instance));
        }
    }
}

static uint64_t hash_of(struct str text)
{
    uint64_t hash = 14695981039346656037U;
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (unsigned char)text.ptr[i]) * 1099511628211U;
    }
    return hash;
}

/* Lines that stand above once more. The table is closed, twice as large as the lines are many; a
 * chain in it is cut short, so that whoever aims for one slot hides a duplicate and no more. */
static void judge_duplicates(struct judge *j)
{
    enum { PROBES_MAX = 16 };
    const struct trace *t = j->t;
    size_t slots = 2 * t->hop_count + 1;
    size_t *table = arena_array(j->arena, slots, sizeof *table); /* index + 1 */
    if (!table) {
        j->failed = true;
        return;
    }
    for (size_t i = 0; i < t->hop_count; i++) {
        size_t slot = hash_of(t->hops[i].value) % slots;
        for (size_t probe = 0; probe < PROBES_MAX; probe++, slot = (slot + 1) % slots) {
            if (table[slot] == 0) {
                table[slot] = i + 1;
                break;
            }
            if (str_eq(t->hops[table[slot] - 1].value, t->hops[i].value) && !t->hops[i].trusted) {
                judge_note(j, i, RULE_DUPLICATE, STR("the same line stands above once more"));
                break;
            }
        }
    }
}

/* A header that was cut in two by an empty line shows the rest of it at the body's start. */
static void judge_body(struct judge *j)
{
    struct header_iter it = header_begin(j->t->body);
    for (struct header_field field; header_next(&it, &field);) {
        if (str_eq_nocase(field.name, STR("Received"))) {
            judge_note(j, TRACE_NONE, RULE_BODY,
                       STR("the body begins with header fields, a Received among them"));
            return;
        }
    }
}

/* Exchange sorts all fields anew that it is handed. */
static bool sorts_fields(const struct received *r)
{
    return str_eq(r->software.name, STR("Exchange"));
}

void judge_placement(struct judge *j)
{
    size_t end = end_of_trace(j->t);
    bool sorted = false;
    for (size_t i = 0; i < j->t->hop_count; i++) {
        const struct trace_hop *hop = &j->t->hops[i];
        sorted = sorted || sorts_fields(&hop->received);
        if (!hop->trusted && !sorted && end != TRACE_NONE && hop->position > end) {
            judge_note(j, i, RULE_PLACEMENT, STR("stands below the author's From and Date"));
        }
    }
    judge_sets(j);
    judge_duplicates(j);
    judge_body(j);
}
