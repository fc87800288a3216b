/* trouble.h: a broken invariant ends the run, with what is needed to see it again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "port/log.h"

struct sim_world;

/* The run that is under way; for what is told of it. */
struct run_now {
    uint64_t seed;
    bool verbose; /* every event is printed */
    const struct sim_world *world;
};
extern struct run_now run_now;

/* Prints it and exits with 1. */
_Noreturn void trouble(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Printed where the run is verbose. */
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A log event of `who`, likewise; but for those of level debug. */
void tell_event(const char *who, enum log_level level, const char *event,
                const struct log_field *fields, size_t count);
