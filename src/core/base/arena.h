/* arena.h: memory for one request, freed at once. Zeroed memory is an empty arena. Allocations are
 * aligned for any type and zeroed; a failed one returns null (an empty str with a null pointer). */
#pragma once

#include "core/base/str.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used; /* bytes handed out, for limits */
};

void arena_done(struct arena *a);
void *arena_alloc(struct arena *a, size_t size);
void *arena_array(struct arena *a, size_t count, size_t size);
struct str arena_copy(struct arena *a,
                      struct str s); /* NUL-terminated besides, for the world's calls */
struct str arena_lower(struct arena *a, struct str s); /* a copy with ASCII in lower case */
/* A formatted text; empty with a null pointer where memory failed. */
struct str arena_format(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes a block of so many bytes now, for an empty arena of which it is known what comes. */
void arena_expect(struct arena *a, size_t bytes);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
