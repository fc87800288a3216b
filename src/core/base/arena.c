#include "core/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first block is small, since many an arena holds a name or two; each further one doubles what
 * there is. What holds 100,000 recipients grows by blocks so large that the allocator gives each
 * back to the system when it is freed. */
enum { BLOCK_FIRST = 48, BLOCK_MOST = 2048, LARGE = 1 << 20, BLOCK_LARGE = 256 << 10 };

struct arena_block {
    struct arena_block *next;
    uint32_t used;
    uint32_t size;
    alignas(max_align_t) char bytes[];
};

void arena_done(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    a->used = 0;
}

static size_t next_block(size_t used)
{
    if (used >= LARGE) {
        return BLOCK_LARGE;
    }
    return used < BLOCK_FIRST ? BLOCK_FIRST : used < BLOCK_MOST ? used : BLOCK_MOST;
}

static struct arena_block *block_with_room(struct arena *a, size_t size)
{
    if (a->blocks && a->blocks->size - a->blocks->used >= size) {
        return a->blocks;
    }
    size_t room = next_block(a->used);
    room = size > room ? size : room;
    struct arena_block *block = calloc(1, sizeof *block + room);
    if (!block) {
        return NULL;
    }
    block->size = (uint32_t)room;
    block->next = a->blocks;
    a->blocks = block;
    return block;
}

void arena_expect(struct arena *a, size_t bytes)
{
    (void)block_with_room(a, bytes); /* without memory the first to ask will hear of it */
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t align = alignof(max_align_t);
    if (size > UINT32_MAX / 2) {
        return NULL;
    }
    size = (size + align - 1) / align * align;
    struct arena_block *block = block_with_room(a, size ? size : align);
    if (!block) {
        return NULL;
    }
    void *memory = block->bytes + block->used;
    block->used += (uint32_t)(size ? size : align);
    a->used += size;
    return memory;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    return arena_alloc(a, count * size);
}

struct str arena_copy(struct arena *a, struct str s)
{
    char *copy = arena_alloc(a, s.len + 1);
    if (!copy) {
        return (struct str){0};
    }
    if (s.len > 0) {
        memcpy(copy, s.ptr, s.len);
    }
    return (struct str){copy, s.len};
}

struct str arena_lower(struct arena *a, struct str s)
{
    struct str copy = arena_copy(a, s);
    for (size_t i = 0; copy.ptr && i < copy.len; i++) {
        ((char *)(uintptr_t)copy.ptr)[i] = ascii_lower(s.ptr[i]);
    }
    return copy;
}

struct str arena_format(struct arena *a, const char *format, ...)
{
    struct str made = {0};
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    char first[256]; /* most texts need not be written twice */
    int len = vsnprintf(first, sizeof first, format, args);
    char *text = len < 0 ? NULL : arena_alloc(a, (size_t)len + 1);
    if (text && (size_t)len < sizeof first) {
        memcpy(text, first, (size_t)len);
        made = str_from(text, (size_t)len);
    } else if (text) {
        (void)vsnprintf(text, (size_t)len + 1, format, again);
        made = str_from(text, (size_t)len);
    }
    va_end(again);
    va_end(args);
    return made;
}
