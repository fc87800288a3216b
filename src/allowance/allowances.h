/* allowances.h: port/allowances.h for the loops of one process: one book behind a lock, which is
 * held for a look into a table. */
#pragma once

#include "port/allowances.h"

struct allowance_desk;

/* Null: no memory. */
NODISCARD struct allowance_desk *allowance_desk_new(struct hash_seed seed);
void allowance_desk_free(
    struct allowance_desk *desk); /* when no loop asks any more; null is fine */
struct allowances *allowance_desk_port(struct allowance_desk *desk);

/* As a file holds it. Loading: before the first loop asks. Saving appends nothing, and is false,
 * where nothing was used up or reset since the last time. */
NODISCARD bool allowance_desk_load(struct allowance_desk *desk, struct str text);
NODISCARD bool allowance_desk_save(struct allowance_desk *desk, struct buf *out);
/* What was saved did not reach the disk: the next time it is saved again. */
void allowance_desk_save_again(struct allowance_desk *desk);
