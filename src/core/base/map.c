#include "core/base/map.h"

#include <stdlib.h>

static uint64_t rotate_left(uint64_t v, int bits)
{
    return (v << bits) | (v >> (64 - bits));
}

struct sip {
    uint64_t v0, v1, v2, v3;
};

static void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotate_left(s->v1, 13) ^ s->v0;
    s->v0 = rotate_left(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate_left(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate_left(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate_left(s->v1, 17) ^ s->v2;
    s->v2 = rotate_left(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

static uint64_t sip_hash(struct hash_seed seed, struct str text, bool nocase)
{
    struct sip s = {seed.k0 ^ 0x736f6d6570736575U, seed.k1 ^ 0x646f72616e646f6dU,
                    seed.k0 ^ 0x6c7967656e657261U, seed.k1 ^ 0x7465646279746573U};
    uint64_t word = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = nocase ? ascii_lower(text.ptr[i]) : text.ptr[i];
        word |= (uint64_t)(unsigned char)c << (8 * (i % 8));
        if (i % 8 == 7) {
            sip_word(&s, word);
            word = 0;
        }
    }
    sip_word(&s, word | (uint64_t)text.len << 56);
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t hash_bytes(struct hash_seed seed, struct str s)
{
    return sip_hash(seed, s, false);
}

uint64_t hash_nocase(struct hash_seed seed, struct str s)
{
    return sip_hash(seed, s, true);
}

uint64_t hash_u64(uint64_t value)
{
    value ^= value >> 33;
    value *= 0xff51afd7ed558ccdU;
    value ^= value >> 33;
    value *= 0xc4ceb9fe1a85ec53U;
    return value ^ value >> 33;
}

void map_done(struct map *m)
{
    free(m->buckets);
    *m = (struct map){0};
}

static struct map_node **bucket_of(const struct map *m, uint64_t hash)
{
    return &m->buckets[hash & (m->bucket_count - 1)];
}

static bool grow(struct map *m)
{
    size_t count = m->bucket_count ? m->bucket_count * 2 : 16;
    struct map_node **buckets = calloc(count, sizeof *buckets);
    if (!buckets) {
        return m->bucket_count > 0; /* a crowded table still works */
    }
    struct map larger = {buckets, count, m->count};
    for (size_t i = 0; i < m->bucket_count; i++) {
        for (struct map_node *n = m->buckets[i], *next; n; n = next) {
            next = n->next;
            struct map_node **bucket = bucket_of(&larger, n->hash);
            n->next = *bucket;
            *bucket = n;
        }
    }
    free(m->buckets);
    *m = larger;
    return true;
}

bool map_insert(struct map *m, struct map_node *n, uint64_t hash)
{
    if (m->count >= m->bucket_count && !grow(m)) {
        return false;
    }
    struct map_node **bucket = bucket_of(m, hash);
    n->hash = hash;
    n->next = *bucket;
    *bucket = n;
    m->count++;
    return true;
}

void map_remove(struct map *m, struct map_node *n)
{
    struct map_node **link = bucket_of(m, n->hash);
    while (*link != n) {
        link = &(*link)->next;
    }
    *link = n->next;
    m->count--;
}

static struct map_node *first_of(struct map_node *n, uint64_t hash)
{
    while (n && n->hash != hash) {
        n = n->next;
    }
    return n;
}

struct map_node *map_find(const struct map *m, uint64_t hash)
{
    return m->bucket_count ? first_of(*bucket_of(m, hash), hash) : NULL;
}

struct map_node *map_find_next(const struct map_node *n)
{
    return first_of(n->next, n->hash);
}

struct map_iter map_begin(const struct map *m)
{
    return (struct map_iter){m, 0, NULL};
}

struct map_node *map_next(struct map_iter *it)
{
    while (!it->next) {
        if (it->bucket >= it->map->bucket_count) {
            return NULL;
        }
        it->next = it->map->buckets[it->bucket++];
    }
    struct map_node *n = it->next;
    it->next = n->next;
    return n;
}
