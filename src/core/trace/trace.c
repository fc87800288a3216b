/* trace.c: trace_read(): the header taken in. */
#include "core/trace/judgement.h"

static bool is_received(const struct header_field *field)
{
    return str_eq_nocase(field->name, STR("Received"));
}

static void take_hop(struct trace *t, const struct header_field *field, size_t position)
{
    struct trace_hop *hop = &t->hops[t->hop_count++];
    received_parse(field->value, &hop->received);
    hop->value = field->value;
    hop->position = position;
    hop->delay = TRACE_NO_DELAY;
    for (size_t i = 0; i < TRACE_ABOUTS; i++) {
        hop->asked[i] = TRACE_NONE;
    }
}

static void set_delays(struct trace *t)
{
    for (size_t i = 0; i + 1 < t->hop_count; i++) {
        const struct received_date *here = &t->hops[i].received.date;
        const struct received_date *below = &t->hops[i + 1].received.date;
        if (here->known && below->known) {
            t->hops[i].delay = here->seconds - below->seconds;
        }
    }
}

/* How many hops and witnesses there are to make room for. */
static void count_fields(struct trace *t, size_t *hops, size_t *others)
{
    struct header_iter it = header_begin(t->message);
    *hops = *others = 0;
    for (struct header_field field; header_next(&it, &field);) {
        *hops += is_received(&field);
        *others += !is_received(&field);
        t->resent = t->resent || str_starts_nocase(field.name, STR("Resent-"));
    }
    t->truncated = *hops > TRACE_HOPS_MAX;
    *hops = t->truncated ? TRACE_HOPS_MAX : *hops;
    *others = *others > TRACE_WITNESSES_MAX ? TRACE_WITNESSES_MAX : *others;
}

bool trace_read(struct trace *t, struct arena *arena, struct str message)
{
    size_t hops = 0, others = 0, position = 0;
    *t = (struct trace){.arena = arena,
                        .message = message,
                        .boundary = TRACE_NONE,
                        .first_forged = TRACE_NONE,
                        .origin = TRACE_NONE,
                        .verdict = TRACE_UNVERIFIABLE};
    count_fields(t, &hops, &others);
    t->hops = arena_array(arena, hops, sizeof *t->hops);
    t->witnesses = arena_array(arena, others, sizeof *t->witnesses);
    if (!t->hops || !t->witnesses) {
        return false;
    }
    struct header_iter it = header_begin(message);
    for (struct header_field field; header_next(&it, &field); position++) {
        if (!is_received(&field)) {
            t->witness_count += t->witness_count < others &&
                                witness_read(&field, position, &t->witnesses[t->witness_count]);
        } else if (t->hop_count < hops) {
            take_hop(t, &field, position);
        }
    }
    t->body = header_body(&it);
    set_delays(t);
    return true;
}
