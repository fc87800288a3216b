/* entropy.h: port/entropy.h from the kernel's generator, a block at a time. */
#pragma once

#include "port/entropy.h"

struct loop_entropy {
    struct entropy port;
    uint64_t block[32];
    size_t left; /* of the block; used values are wiped */
};

void loop_entropy_init(struct loop_entropy *e);
