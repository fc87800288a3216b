/* Whatever a message holds, its judgement keeps its promises: indexes lie inside, the whole is no
 * better than its worst line, the first forged line is one, nothing above it is forged, a trusted
 * line is never called forged; judging again gives the same, and answers to every question, true or
 * not, break nothing. */
#include "core/trace/judgement.h"

#include <stdlib.h>
#include <string.h>

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void index_is_inside(const struct trace *t, size_t index)
{
    must(index == TRACE_NONE || index < t->hop_count);
}

static void check_reasons(const struct trace_reason *reason)
{
    size_t count = 0;
    const struct trace_rule *table = trace_rules(&count);
    for (; reason; reason = reason->next) {
        must(reason->rule >= table && reason->rule < table + count);
        must(reason->text.len > 0 && reason->weight >= -100 && reason->weight <= 100);
    }
}

static void check(const struct trace *t)
{
    enum trace_verdict worst = TRACE_PROVEN;
    index_is_inside(t, t->boundary);
    index_is_inside(t, t->first_forged);
    index_is_inside(t, t->origin);
    check_reasons(t->reasons);
    for (size_t i = 0; i < t->hop_count; i++) {
        const struct trace_hop *hop = &t->hops[i];
        check_reasons(hop->reasons);
        worst = hop->verdict > worst ? hop->verdict : worst;
        must(!hop->trusted || hop->verdict == TRACE_PROVEN);
        must((hop->verdict == TRACE_FORGED) ==
             (t->first_forged != TRACE_NONE && i >= t->first_forged));
        must(hop->trusted || t->boundary == TRACE_NONE || i > t->boundary);
    }
    must(t->hop_count == 0 || t->verdict == worst);
    must(t->origin == TRACE_NONE || t->first_forged == TRACE_NONE || t->origin < t->first_forged);
}

/* Answers of every kind, by the octets of the message itself. */
static void answer(struct trace *t, const uint8_t *data, size_t size)
{
    static const struct str results[] = {STR_INIT("pass"), STR_INIT("fail"), STR_INIT("none"),
                                         STR_INIT("temperror")};
    for (size_t i = 0; i < t->question_count; i++) {
        struct trace_question *q = &t->questions[i];
        uint8_t choice = size > 0 ? data[(i * 7) % size] : 0;
        q->answered = choice % 4 != 0;
        q->count = choice % 3;
        q->result = results[choice % ARRAY_LEN(results)];
        for (size_t n = 0; n < q->count; n++) {
            q->ips[n] = (struct ip){IP_V4, {choice, choice, choice, (uint8_t)n}};
            q->names[n] = t->hop_count > 0 ? t->hops[i % t->hop_count].received.by : STR("a.b");
        }
    }
}

static void judge_twice(struct trace *t, const struct trace_trust *trust, int64_t now)
{
    must(trace_judge(t, trust, now));
    check(t);
    struct trace before = *t;
    int score = t->hop_count > 0 ? t->hops[t->hop_count - 1].score : 0;
    must(trace_judge(t, trust, now));
    check(t);
    must(before.verdict == t->verdict && before.boundary == t->boundary);
    must(before.first_forged == t->first_forged && before.origin == t->origin);
    must(before.left_out_count == t->left_out_count);
    must(t->hop_count == 0 || score == t->hops[t->hop_count - 1].score);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str names[] = {STR_INIT("mx.birch.example"), STR_INIT(".example.org")};
    static const struct network networks[] = {{{IP_V4, {192, 0, 2, 0}}, 24}};
    const struct trace_trust nobody = {0}, top = {.top = true};
    const struct trace_trust some = {names, ARRAY_LEN(names), networks, ARRAY_LEN(networks), true};
    struct arena arena = {0};
    struct trace t;
    must(trace_read(&t, &arena, str_from((const char *)data, size)));
    judge_twice(&t, &nobody, 0);
    must(t.boundary == TRACE_NONE);
    judge_twice(&t, &top, 1600000000);
    must(trace_ask(&t) && t.question_count <= TRACE_QUESTIONS_MAX);
    answer(&t, data, size);
    judge_twice(&t, &some, 1600000000);
    arena_done(&arena);
    return 0;
}
