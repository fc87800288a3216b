#include "path/spool/recovered.h"

#include <stdlib.h>
#include <string.h>

struct recovered *recovered_find(const struct recovered_set *set, uint64_t id)
{
    for (struct map_node *n = map_find(&set->map, queue_id_hash((struct queue_id){id})); n;
         n = map_find_next(n)) {
        struct recovered *m = CONTAINER_OF(n, struct recovered, node);
        if (m->id == id) {
            return m;
        }
    }
    return NULL;
}

static bool is_later(uint64_t generation, struct location at, uint64_t than_generation,
                     struct location than)
{
    return generation != than_generation ? generation > than_generation : at.offset > than.offset;
}

static void drop_texts(struct recovered *m)
{
    free(m->texts);
    m->texts = NULL;
    m->has_message = false;
    while (m->outcomes) {
        struct recovered_outcome *next = m->outcomes->next;
        free(m->outcomes);
        m->outcomes = next;
    }
}

/* Takes away the outcomes that numbers up to `last` from `first` cover. */
static void drop_covered(struct recovered *m, uint32_t first, uint32_t last)
{
    struct recovered_outcome **link = &m->outcomes;
    while (*link) {
        struct recovered_outcome *o = *link;
        if (o->first >= first && o->last <= last) {
            *link = o->next;
            free(o);
        } else {
            link = &o->next;
        }
    }
}

static bool show_message(struct recovered *m, const struct record *r, uint64_t generation,
                         struct location at)
{
    if (m->finished || (m->has_message && !is_later(generation, at, m->generation, m->at))) {
        return true;
    }
    char *texts = malloc(r->envelope.len + r->outcomes.len + 1);
    if (!texts) {
        return false;
    }
    if (r->envelope.len > 0) {
        memcpy(texts, r->envelope.ptr, r->envelope.len);
    }
    if (r->outcomes.len > 0) {
        memcpy(texts + r->envelope.len, r->outcomes.ptr, r->outcomes.len);
    }
    free(m->texts);
    m->texts = texts;
    m->envelope_len = r->envelope.len;
    m->outcomes_len = r->outcomes.len;
    m->has_message = true;
    m->body_file = r->body_file;
    m->generation = generation;
    m->at = at;
    m->before_body = record_before_body(r);
    m->merged = r->last;
    m->body_size = r->body_size;
    m->born = r->born;
    drop_covered(m, 0, m->merged);
    return true;
}

static bool show_outcome(struct recovered *m, const struct record *r, uint64_t generation,
                         struct location at)
{
    if (m->finished || (m->has_message && r->last <= m->merged)) {
        return true;
    }
    for (const struct recovered_outcome *o = m->outcomes; o; o = o->next) {
        bool same = o->first == r->first && o->last == r->last;
        if (o->first <= r->first && r->last <= o->last &&
            !(same && is_later(generation, at, o->generation, o->at))) {
            return true;
        }
    }
    struct recovered_outcome *made = malloc(sizeof *made + r->outcomes.len);
    if (!made) {
        return false;
    }
    *made = (struct recovered_outcome){.first = r->first,
                                       .last = r->last,
                                       .generation = generation,
                                       .at = at,
                                       .len = r->outcomes.len};
    if (r->outcomes.len > 0) {
        memcpy(made->bytes, r->outcomes.ptr, r->outcomes.len);
    }
    drop_covered(m, r->first, r->last);
    struct recovered_outcome **link = &m->outcomes;
    while (*link && (*link)->first < made->first) {
        link = &(*link)->next;
    }
    made->next = *link;
    *link = made;
    return true;
}

static struct recovered *find_or_add(struct recovered_set *set, uint64_t id)
{
    struct recovered *m = recovered_find(set, id);
    if (m) {
        return m;
    }
    m = calloc(1, sizeof *m);
    if (m) {
        m->id = id;
        if (!map_insert(&set->map, &m->node, queue_id_hash((struct queue_id){id}))) {
            free(m);
            return NULL;
        }
    }
    return m;
}

bool recovered_show(struct recovered_set *set, const struct record *r, uint64_t generation,
                    struct location at)
{
    struct recovered *m = find_or_add(set, r->id);
    if (!m) {
        return false;
    }
    if (r->type == RECORD_MESSAGE) {
        return show_message(m, r, generation, at);
    }
    if (r->type == RECORD_OUTCOME) {
        return show_outcome(m, r, generation, at);
    }
    m->finished = true;
    drop_texts(m);
    return true;
}

void recovered_story(const struct recovered *m, struct buf *out)
{
    buf_add(out, str_from(m->texts + m->envelope_len, m->outcomes_len));
    for (const struct recovered_outcome *o = m->outcomes; o; o = o->next) {
        buf_add(out, str_from(o->bytes, o->len));
    }
}

static int by_id(const void *a, const void *b)
{
    const struct recovered *const *x = a;
    const struct recovered *const *y = b;
    return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

struct recovered **recovered_sorted(const struct recovered_set *set, size_t *count)
{
    struct recovered **all = malloc((set->map.count + 1) * sizeof(struct recovered *));
    struct map_iter it = map_begin(&set->map);
    if (!all) {
        return NULL;
    }
    *count = 0;
    for (struct map_node *n; (n = map_next(&it)) != NULL;) {
        struct recovered *m = CONTAINER_OF(n, struct recovered, node);
        if (recovered_counts(m)) {
            all[(*count)++] = m;
        }
    }
    qsort(all, *count, sizeof(struct recovered *), by_id);
    return all;
}

void recovered_done(struct recovered_set *set)
{
    for (size_t i = 0; i < set->map.bucket_count; i++) {
        for (struct map_node *n = set->map.buckets[i], *next; n; n = next) {
            next = n->next;
            struct recovered *m = CONTAINER_OF(n, struct recovered, node);
            drop_texts(m);
            free(m);
        }
    }
    map_done(&set->map);
}
