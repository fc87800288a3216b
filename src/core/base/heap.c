#include "core/base/heap.h"

#include <stdlib.h>

void heap_done(struct heap *h)
{
    free(h->nodes);
    *h = (struct heap){0};
}

static void set(struct heap *h, size_t place, struct heap_node *n)
{
    h->nodes[place - 1] = n;
    n->place = (uint32_t)place;
}

static void sift_up(struct heap *h, struct heap_node *n)
{
    size_t place = n->place;
    while (place > 1 && h->nodes[place / 2 - 1]->key > n->key) {
        set(h, place, h->nodes[place / 2 - 1]);
        place /= 2;
    }
    set(h, place, n);
}

static void sift_down(struct heap *h, struct heap_node *n)
{
    size_t place = n->place;
    for (;;) {
        size_t child = place * 2;
        if (child > h->count) {
            break;
        }
        if (child < h->count && h->nodes[child]->key < h->nodes[child - 1]->key) {
            child++;
        }
        if (h->nodes[child - 1]->key >= n->key) {
            break;
        }
        set(h, place, h->nodes[child - 1]);
        place = child;
    }
    set(h, place, n);
}

bool heap_reserve(struct heap *h, size_t count)
{
    if (count <= h->cap) {
        return true;
    }
    size_t cap = h->cap ? h->cap : 64;
    while (cap < count) {
        cap *= 2;
    }
    struct heap_node **grown =
        cap <= UINT32_MAX ? realloc(h->nodes, cap * sizeof(struct heap_node *)) : NULL;
    if (!grown) {
        return false;
    }
    h->nodes = grown;
    h->cap = cap;
    return true;
}

bool heap_push(struct heap *h, struct heap_node *n, int64_t key)
{
    if (!heap_reserve(h, h->count + 1)) {
        return false;
    }
    h->count++;
    n->key = key;
    set(h, h->count, n);
    sift_up(h, n);
    return true;
}

struct heap_node *heap_min(const struct heap *h)
{
    return h->count ? h->nodes[0] : NULL;
}

void heap_remove(struct heap *h, struct heap_node *n)
{
    if (n->place == 0) {
        return;
    }
    size_t place = n->place;
    struct heap_node *last = h->nodes[h->count - 1];
    h->count--;
    n->place = 0;
    if (last != n) {
        set(h, place, last);
        sift_up(h, last);
        sift_down(h, last);
    }
}

void heap_move(struct heap *h, struct heap_node *n, int64_t key)
{
    n->key = key;
    sift_up(h, n);
    sift_down(h, n);
}
