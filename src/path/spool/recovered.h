/* recovered.h: what the records found in a log add up to, in whatever order they are shown. Pure.
 *
 * A message counts if its message record was shown and no remove record. Of several message records
 * the latest stands (compaction copied it). Outcome records have numbers: one whose numbers another
 * one or the message record covers is stale. Outcomes and removes of unknown messages are what
 * compaction leaves behind, and no error. */
#pragma once

#include "core/base/buf.h"
#include "core/base/map.h"
#include "path/spool/index.h"
#include "path/spool/record.h"

struct recovered_outcome {
    struct recovered_outcome *next; /* in the order of their numbers */
    uint32_t first, last;
    uint64_t generation;
    struct location at;
    size_t len;
    char bytes[];
};

struct recovered {
    struct map_node node;
    uint64_t id;
    bool finished;
    bool has_message;
    bool body_file;
    bool body_seen; /* for the caller, … */
    bool lost;      /* … who salvages: its body is not there */
    uint64_t generation;
    struct location at;
    uint32_t before_body;
    uint32_t merged;
    uint64_t body_size;
    uint64_t born;
    char *texts; /* envelope, then the outcomes merged into the message record */
    size_t envelope_len, outcomes_len;
    struct recovered_outcome *outcomes;
};

struct recovered_set {
    struct map map;
};

/* Shows it a message, outcome or remove record; texts are copied. False: no memory. */
NODISCARD bool recovered_show(struct recovered_set *set, const struct record *r,
                              uint64_t generation, struct location at);
struct recovered *recovered_find(const struct recovered_set *set, uint64_t id); /* or null */
static inline bool recovered_counts(const struct recovered *m)
{
    return m->has_message && !m->finished;
}
/* All outcomes in order, appended to `out`. */
void recovered_story(const struct recovered *m, struct buf *out);
/* The messages that count, oldest first: an array for the caller to free; null: no memory. */
struct recovered **recovered_sorted(const struct recovered_set *set, size_t *count);
void recovered_done(struct recovered_set *set);
