/* problems.h: what is wrong with a configuration, each thing with its place, for the person who
 * wrote it. */
#pragma once

#include "core/base/arena.h"

#include <stdio.h>

enum { CONFIG_PROBLEMS_MAX = 200 }; /* more are counted, not kept */

/* `line` and `column` count from 1; 0: the file as a whole, or a place in no file. */
struct config_place {
    struct str file;
    uint32_t line;
    uint32_t column;
};

struct config_problem {
    struct config_place place;
    struct str text;
    bool warning; /* the configuration can be used all the same */
};

/* Zeroed memory is an empty list. */
struct config_problems {
    struct arena arena;
    struct config_problem *list;
    size_t count;
    size_t capacity;
    size_t errors; /* all, kept or not; warnings are not counted here */
    size_t dropped;
};

/* Everything is copied. Where memory fails the problem counts all the same. */
void config_problem(struct config_problems *problems, bool warning, struct config_place place,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The first error, as config_problems_print() would print it; empty: there is none. */
struct str config_problems_first(struct config_problems *problems);
/* A line each: "FILE:LINE:COLUMN: error: TEXT". */
void config_problems_print(const struct config_problems *problems, FILE *to);
void config_problems_done(struct config_problems *problems);
