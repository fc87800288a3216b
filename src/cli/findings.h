/* findings.h: what `check --security` finds, for people and as JSON. */
#pragma once

#include "core/base/arena.h"

#include <jansson.h>

enum finding_grade {
    FINDING_OPEN, /* strangers can use or read what is not theirs */
    FINDING_WEAK, /* easier to attack, or easier refused by others, than it need be */
    FINDING_NOTE, /* good to know */
};

struct finding {
    enum finding_grade grade;
    const char *subject; /* one word: "relay", "tls", … */
    struct str text;
    struct finding *next;
};

struct findings {
    struct arena arena;
    struct finding *first, *last;
    size_t counts[3]; /* by grade */
};

void finding_add(struct findings *findings, enum finding_grade grade, const char *subject,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));
void findings_print(const struct findings *findings);
json_t *findings_json(const struct findings *findings);
void findings_done(struct findings *findings);
