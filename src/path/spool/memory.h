/* memory.h: a spool that keeps envelopes and outcomes in memory and each body in a file, for tests:
 * the interface of spool.h, without its durability. */
#pragma once

#include "path/spool/spool.h"
#include "port/ports.h"

/* Bodies stand in `folder`, which is made. The ports outlive the spool. Null: no memory. */
struct spool *spool_memory_new(const struct ports *ports, struct str folder);
