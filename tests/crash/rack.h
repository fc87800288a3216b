/* rack.h: runs numbered by seeds, each a process of its own, so that what dies in it may leave its
 * memory, and a crash or an endless loop is told like any other trouble. */
#pragma once

#include <stdint.h>

/* main() of a rack: PROGRAM [-v|-1] SEED [COUNT]. Prints each seed whose run was in trouble, and
 * how to see it; -v shows one run event by event, -1 ends at the first trouble. */
int rack_main(int argc, char **argv, void (*run)(uint64_t seed));
