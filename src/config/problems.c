#include "config/problems.h"

#include "core/base/buf.h"

#include <stdarg.h>
#include <stdlib.h>

enum { TEXT_MAX = 512 };

static bool make_room(struct config_problems *problems)
{
    if (problems->count < problems->capacity) {
        return true;
    }
    size_t capacity = problems->capacity ? problems->capacity * 2 : 8;
    struct config_problem *list = realloc(problems->list, capacity * sizeof *list);
    if (!list) {
        return false;
    }
    problems->list = list;
    problems->capacity = capacity;
    return true;
}

void config_problem(struct config_problems *problems, bool warning, struct config_place place,
                    const char *format, ...)
{
    char text[TEXT_MAX];
    problems->errors += warning ? 0 : 1;
    if (problems->count == CONFIG_PROBLEMS_MAX || !make_room(problems)) {
        problems->dropped++;
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t kept = length < 0 ? 0 : (size_t)length < sizeof text ? (size_t)length : sizeof text - 1;
    place.file = arena_copy(&problems->arena, place.file);
    problems->list[problems->count++] =
        (struct config_problem){.place = place,
                                .text = arena_copy(&problems->arena, str_from(text, kept)),
                                .warning = warning};
}

static void format_problem(struct buf *out, const struct config_problem *problem)
{
    if (problem->place.file.len > 0) {
        buf_add(out, problem->place.file);
        if (problem->place.line > 0) {
            buf_add_format(out, ":%u:%u", (unsigned)problem->place.line,
                           (unsigned)problem->place.column);
        }
        buf_add(out, STR(": "));
    }
    buf_add(out, problem->warning ? STR("warning: ") : STR("error: "));
    buf_add(out, problem->text);
}

struct str config_problems_first(struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        if (!problems->list[i].warning) {
            struct buf line = {0};
            format_problem(&line, &problems->list[i]);
            struct str kept = arena_copy(&problems->arena, buf_str(&line));
            buf_done(&line);
            return kept;
        }
    }
    return problems->errors > 0 ? STR("not enough memory") : (struct str){0};
}

void config_problems_print(const struct config_problems *problems, FILE *to)
{
    for (size_t i = 0; i < problems->count; i++) {
        struct buf line = {0};
        format_problem(&line, &problems->list[i]);
        (void)fprintf(to, "%.*s\n", STR_ARG(buf_str(&line)));
        buf_done(&line);
    }
    if (problems->dropped > 0) {
        (void)fprintf(to, "... and %zu more\n", problems->dropped);
    }
}

void config_problems_done(struct config_problems *problems)
{
    arena_done(&problems->arena);
    free(problems->list);
    *problems = (struct config_problems){0};
}
