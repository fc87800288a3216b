#include "path/spool/index.h"

#include <stdlib.h>

struct entry *index_find(const struct index *x, struct queue_id id)
{
    for (struct map_node *n = map_find(&x->map, queue_id_hash(id)); n; n = map_find_next(n)) {
        struct entry *e = CONTAINER_OF(n, struct entry, node);
        if (e->id.value == id.value) {
            return e;
        }
    }
    return NULL;
}

struct entry *index_add(struct index *x, struct queue_id id)
{
    x->entries.size = sizeof(struct entry);
    struct entry *e = slab_take(&x->entries);
    if (e) {
        e->id = id;
        if (!map_insert(&x->map, &e->node, queue_id_hash(id))) {
            slab_give(&x->entries, e);
            return NULL;
        }
    }
    return e;
}

void index_remove(struct index *x, struct entry *e)
{
    map_remove(&x->map, &e->node);
    free(e->outcomes);
    free(e->recent);
    slab_give(&x->entries, e);
}

void index_done(struct index *x)
{
    struct map_iter it = map_begin(&x->map);
    for (struct map_node *n; (n = map_next(&it));) {
        struct entry *e = CONTAINER_OF(n, struct entry, node);
        free(e->outcomes);
        free(e->recent);
    }
    map_done(&x->map);
    slab_done(&x->entries);
}

bool entry_reserve(struct entry *e)
{
    struct places *p = e->outcomes;
    if (p && p->count < p->cap) {
        return true;
    }
    uint32_t cap = p ? p->cap * 2 : 1;
    struct places *grown = realloc(p, sizeof *grown + cap * sizeof grown->at[0]);
    if (!grown) {
        return false;
    }
    if (!p) {
        grown->count = 0;
    }
    grown->cap = cap;
    e->outcomes = grown;
    return true;
}
