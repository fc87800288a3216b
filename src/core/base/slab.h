/* slab.h: memory for many objects of one size, such as what is kept for each idle connection or
 * each message at rest: no header for each, and no holes between them that others leave. What is
 * given back is taken again for the same purpose, and goes to the system only at slab_done(). */
#pragma once

#include "core/base/str.h"

struct slab_block;

struct slab {
    size_t size; /* of an object; set by its owner, all else zeroed at first */
    struct slab_block *blocks;
    size_t untouched; /* objects at the end of the first block that nobody has had yet */
    void *spare;      /* objects given back */
};

void *slab_take(struct slab *s); /* zeroed, aligned for pointers and numbers; null: no memory */
void slab_give(struct slab *s, void *object);
void slab_done(struct slab *s); /* frees every object, given back or not */
