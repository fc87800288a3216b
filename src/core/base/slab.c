#include "core/base/slab.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 256 * 1024 - 64 };

struct slab_block {
    struct slab_block *next;
    alignas(uint64_t) char objects[];
};

/* What a sanitizer would say of memory that was freed, it says of objects that were given back. */
#if defined(__SANITIZE_ADDRESS__)
void __asan_poison_memory_region(const volatile void *at, size_t size);
void __asan_unpoison_memory_region(const volatile void *at, size_t size);
#define FORBID(object, size) __asan_poison_memory_region((object), (size))
#define ALLOW(object, size) __asan_unpoison_memory_region((object), (size))
#else
#define FORBID(object, size) ((void)0)
#define ALLOW(object, size) ((void)0)
#endif

static size_t stride(const struct slab *s)
{
    size_t size = s->size < sizeof(void *) ? sizeof(void *) : s->size;
    return (size + alignof(uint64_t) - 1) / alignof(uint64_t) * alignof(uint64_t);
}

static size_t per_block(const struct slab *s)
{
    return stride(s) < BLOCK_BYTES ? BLOCK_BYTES / stride(s) : 1;
}

static void *take_spare(struct slab *s)
{
    void *object = s->spare;
    ALLOW(object, stride(s));
    memcpy(&s->spare, object, sizeof s->spare);
    return object;
}

static void *take_untouched(struct slab *s)
{
    if (s->untouched == 0) {
        struct slab_block *block = malloc(sizeof *block + per_block(s) * stride(s));
        if (!block) {
            return NULL;
        }
        block->next = s->blocks;
        s->blocks = block;
        s->untouched = per_block(s);
        FORBID(block->objects, s->untouched * stride(s));
    }
    void *object = s->blocks->objects + (per_block(s) - s->untouched--) * stride(s);
    ALLOW(object, stride(s));
    return object;
}

void *slab_take(struct slab *s)
{
    void *object = s->spare ? take_spare(s) : take_untouched(s);
    return object ? memset(object, 0, stride(s)) : NULL;
}

void slab_give(struct slab *s, void *object)
{
    if (object) {
        memcpy(object, &s->spare, sizeof s->spare);
        s->spare = object;
        FORBID(object, stride(s));
    }
}

void slab_done(struct slab *s)
{
    for (struct slab_block *block = s->blocks, *next; block; block = next) {
        next = block->next;
        ALLOW(block->objects, per_block(s) * stride(s));
        free(block);
    }
    *s = (struct slab){.size = s->size};
}
