#include "cli/findings.h"

#include "cli/print.h"
#include "control/answer.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const grades[] = {"open", "weak", "note"};

void finding_add(struct findings *findings, enum finding_grade grade, const char *subject,
                 const char *format, ...)
{
    char text[1024];
    struct finding *made = ARENA_NEW(&findings->arena, struct finding);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    findings->counts[grade]++;
    if (!made) {
        return; /* it counts all the same */
    }
    *made = (struct finding){.grade = grade,
                             .subject = subject,
                             .text = arena_copy(&findings->arena, str_from_cstr(text))};
    if (findings->last) {
        findings->last->next = made;
    } else {
        findings->first = made;
    }
    findings->last = made;
}

void findings_print(const struct findings *findings)
{
    for (int grade = FINDING_OPEN; grade <= FINDING_NOTE; grade++) {
        for (const struct finding *f = findings->first; f; f = f->next) {
            if ((int)f->grade == grade) {
                (void)printf("%s  %-8s ", grades[grade], f->subject);
                print_text(stdout, f->text, false);
                (void)printf("\n");
            }
        }
    }
    (void)printf("%zu open, %zu weak, %zu notes\n", findings->counts[FINDING_OPEN],
                 findings->counts[FINDING_WEAK], findings->counts[FINDING_NOTE]);
}

json_t *findings_json(const struct findings *findings)
{
    json_t *list = json_array();
    for (const struct finding *f = findings->first; f; f = f->next) {
        json_t *entry = json_object();
        json_object_set_new(entry, "grade", json_string(grades[f->grade]));
        json_object_set_new(entry, "subject", json_string(f->subject));
        json_object_set_new(entry, "text", answer_text(f->text));
        json_array_append_new(list, entry);
    }
    return list;
}

void findings_done(struct findings *findings)
{
    arena_done(&findings->arena);
    *findings = (struct findings){0};
}
