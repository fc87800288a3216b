#include "path/route/steps.h"

struct routing_step *steps_from(const struct dns_notes *notes, struct arena *arena, size_t *count)
{
    struct routing_step *steps = arena_array(arena, notes->count ? notes->count : 1, sizeof *steps);
    *count = 0;
    for (const struct dns_note *note = notes->first; steps && note; note = note->next) {
        steps[(*count)++].what = note->what;
    }
    return steps;
}
