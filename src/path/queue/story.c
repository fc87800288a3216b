#include "path/queue/story.h"

enum { OUTCOMES_MAX = 1000000 };

static bool read_outcomes(struct str bytes, struct arena *arena, struct story *story)
{
    size_t cap = 0;
    for (;;) {
        struct outcome o = {0};
        int got = outcome_decode(&bytes, arena, &o);
        if (got <= 0) {
            return got == 0;
        }
        if (story->outcome_count == cap) {
            cap = cap ? cap * 2 : 8;
            struct outcome *grown = arena_array(arena, cap, sizeof *grown);
            if (!grown || cap > OUTCOMES_MAX) {
                return false;
            }
            for (size_t i = 0; i < story->outcome_count; i++) {
                grown[i] = story->outcomes[i];
            }
            story->outcomes = grown;
        }
        story->outcomes[story->outcome_count++] = o;
    }
}

bool story_read(struct str envelope, struct str outcomes, struct arena *arena, struct story *story)
{
    struct story read = {.wait = {.kind = WAIT_NOTHING}};
    if (!envelope_decode(envelope, arena, &read.envelope) ||
        !read_outcomes(outcomes, arena, &read)) {
        return false;
    }
    *story = read;
    return true;
}

bool story_is_about(const struct story *story, struct str address)
{
    const struct envelope *e = &story->envelope;
    if (str_eq_nocase(e->reverse_path, address)) {
        return true;
    }
    for (size_t i = 0; i < e->rcpt_count; i++) {
        if (str_eq_nocase(e->rcpts[i].address, address)) {
            return true;
        }
    }
    for (size_t i = 0; i < story->outcome_count; i++) {
        const struct outcome *o = &story->outcomes[i];
        for (size_t c = 0; c < o->child_count; c++) {
            if (str_eq_nocase(o->children[c].address, address)) {
                return true;
            }
        }
    }
    return false;
}
