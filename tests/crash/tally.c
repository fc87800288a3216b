#include "crash/tally.h"

#include "crash/trouble.h"

#include <stdio.h>

struct tally_message *tally_new(struct tally *t, size_t size, uint64_t *id)
{
    if (t->count == TALLY_MESSAGES) {
        return NULL;
    }
    *id = ++t->count;
    struct tally_message *m = &t->messages[*id];
    *m = (struct tally_message){.size = size};
    return m;
}

void tally_body(const struct tally *t, uint64_t id, char *body)
{
    for (size_t i = 0; i < t->messages[id].size; i++) {
        body[i] = (char)(id * 13 + i * 5 + i / 255);
    }
}

size_t tally_envelope(uint64_t id, char *text, size_t room)
{
    int length = snprintf(text, room, "the envelope of %u", (unsigned)id);
    return length > 0 ? (size_t)length : 0;
}

void tally_mark(unsigned number, char text[5])
{
    (void)snprintf(text, 5, "%03u;", number % 1000);
}

void tally_opening(struct tally *t, bool forgiving)
{
    t->forgiving = forgiving;
    for (unsigned id = 1; id <= t->count; id++) {
        t->messages[id].found = false;
    }
}

static void judge_marks(struct tally_message *m, uint64_t id, struct str outcomes, bool forgiving)
{
    unsigned next = 0;
    for (; outcomes.len > 0; outcomes = str_tail(outcomes, 4)) {
        uint64_t number = 0;
        if (outcomes.len < 4 || !str_to_u64(str_head(outcomes, 3), TALLY_MARKS - 1, &number) ||
            number >= m->mark_count) {
            trouble("message %u has an outcome that nobody gave it", (unsigned)id);
        }
        if (number < next) {
            trouble("outcome %u of message %u is there twice, or out of order", (unsigned)number,
                    (unsigned)id);
        }
        if (m->marks[number] == SURELY_NOT && !forgiving) {
            trouble("outcome %u of message %u was gone, and is back", (unsigned)number,
                    (unsigned)id);
        }
        for (; next < number; next++) {
            if (m->marks[next] == SURELY && !forgiving) {
                trouble("outcome %u of message %u is lost", next, (unsigned)id);
            }
            m->marks[next] = SURELY_NOT;
        }
        m->marks[next++] = SURELY;
    }
    for (; next < m->mark_count; next++) {
        if (m->marks[next] == SURELY && !forgiving) {
            trouble("outcome %u of message %u is lost", next, (unsigned)id);
        }
        m->marks[next] = SURELY_NOT;
    }
}

void tally_found(struct tally *t, const struct spool_found *found)
{
    uint64_t id = found->id.value;
    if (id == 0 || id > t->count) {
        trouble("message %llu is there that nobody put", (unsigned long long)id);
    }
    struct tally_message *m = &t->messages[id];
    if (m->found) {
        trouble("message %u is there twice", (unsigned)id);
    }
    if (!t->forgiving && (m->put == SURELY_NOT || m->finished == SURELY)) {
        trouble("message %u was %s, and is there", (unsigned)id,
                m->finished == SURELY ? "finished" : "gone");
    }
    char text[64];
    size_t length = tally_envelope(id, text, sizeof text);
    if (!str_eq(found->envelope, str_from(text, length))) {
        trouble("the envelope of message %u has changed", (unsigned)id);
    }
    m->found = true;
    judge_marks(m, id, found->outcomes, t->forgiving);
}

void tally_opened(struct tally *t)
{
    for (unsigned id = 1; id <= t->count; id++) {
        struct tally_message *m = &t->messages[id];
        if (m->put == SURELY && m->finished == SURELY_NOT && !m->found && !t->forgiving) {
            trouble("message %u was acknowledged and is lost", id);
        }
        /* What recovery told of is certain from now on. */
        m->put = m->found ? SURELY : SURELY_NOT;
        m->finished = m->found ? SURELY_NOT : SURELY;
    }
}
