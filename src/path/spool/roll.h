/* roll.h: the roll names the segments that hold something durable, so that one which is missing, or
 * was wiped out, is told from one that never was in use; and how far the newest of them is durable,
 * so that damage there is told from the torn end that a power cut leaves. Both are claims that held
 * when they were written and still hold: a segment leaves the roll, durably, before it is given
 * back. The roll stands in two files, written in turn. Pure. */
#pragma once

#include "core/base/buf.h"

enum { ROLL_ALIGN = 4096 };

struct roll {
    uint64_t version;       /* the greater one is the later */
    uint64_t end;           /* of the newest segment: its records are durable up to here */
    struct str generations; /* 8 bytes each, ascending */
};

size_t roll_count(const struct roll *r);
uint64_t roll_generation(const struct roll *r, size_t i);
/* The newest generation; 0: none is named. */
uint64_t roll_newest(const struct roll *r);

/* Appends it, and zeros up to a multiple of ROLL_ALIGN. */
void roll_write(struct buf *out, const struct roll *r);
/* False: it is none, or damaged. `r` borrows from `bytes`. */
NODISCARD bool roll_read(struct str bytes, struct roll *r);
