/* order.h: what the worker asks of the runner, as bytes. Pure. The runner believes nothing of it:
 * an order is parsed as if an attacker had written it. */
#pragma once

#include "core/base/buf.h"
#include "world/program_starter.h"

enum {
    ORDER_WORDS_MAX = 256,   /* arguments and variables */
    ORDER_BYTES_MAX = 65536, /* of an order */
};

struct order {
    const char *argv[ORDER_WORDS_MAX + 1]; /* ended by null; in the order's bytes */
    const char *environment[ORDER_WORDS_MAX + 1];
    size_t argc, environment_count;
};

/* Appends it. 0, or -EINVAL for a word with a NUL and no word at all, -E2BIG, -ENOMEM. */
NODISCARD int order_format(struct buf *out, const struct program_order *wanted);
/* False where the bytes, all of them, are no order. They are borrowed. */
NODISCARD bool order_parse(struct str bytes, struct order *order);
