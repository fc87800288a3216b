/* program_starter.h: who starts programs for a loop that may not do so itself. */
#pragma once

#include "core/base/str.h"

struct loop;

struct program_order {
    const struct str *argv; /* argv[0]: an absolute path */
    size_t argc;
    const struct str *environment; /* the whole of it */
    size_t environment_count;
    int input, output; /* descriptors: what the program reads, and writes to as output and errors */
};

/* How it went, in one piece. */
struct program_end {
    int32_t error;       /* -errno: it could not be started */
    int32_t exit_status; /* or -1 */
    int32_t signal;      /* or 0 */
};

struct program_starter {
    /* A descriptor, the caller's, from which one struct program_end can be read when the program
     * has ended; to shut or close it kills the program and those it started. Or -errno. Called from
     * any loop's thread; the descriptors of the order stay the caller's. */
    int (*start)(struct program_starter *starter, const struct program_order *order);
    /* A program was to be killed long ago and nothing is heard of it: whoever was to do that stands
     * still, and the next order is for another one. `name`: its argv[0]. May be null. */
    void (*stuck)(struct program_starter *starter, struct str name);
};

/* Before the loop starts a program. Borrowed for the loop's life. */
void loop_set_starter(struct loop *loop, struct program_starter *starter);
