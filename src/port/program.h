/* program.h: another program, run without a shell: its input written, its output gathered. */
#pragma once

#include "core/base/buf.h"
#include "core/base/instant.h"

struct program_run {
    void (*done)(struct program_run *run); /* once, after it ended or could not be started */
    /* The program would take more input: give it by write_input() or end_input(). Called first when
     * it has started, then whenever what was given has been taken. */
    void (*wants_input)(struct program_run *run);
    const struct str *argv; /* argv[0] is the program's absolute path; borrowed for the call */
    size_t argc;
    const struct str *environment; /* "NAME=value", the whole of it; borrowed for the call */
    size_t environment_count;
    struct span limit;   /* killed when it takes longer */
    size_t output_limit; /* bytes of output and errors kept; the rest is dropped */

    int error;         /* done: 0, or -errno: could not be started */
    int exit_status;   /* done: what it exited with, or -1 */
    int signal;        /* done: what killed it, or 0 */
    bool timed_out;    /* done: `limit` passed and it was killed */
    struct buf output; /* done: the caller's to free */
    void *impl;
};

struct programs {
    void (*start)(struct programs *programs, struct program_run *run);
    /* Borrowed until the next wants_input() or done(). A program that stops reading is no error. */
    void (*write_input)(struct programs *programs, struct program_run *run, struct str bytes);
    void (*end_input)(struct programs *programs, struct program_run *run);
};
