/* why_history.h: stories without a running server: those of finished messages, which lie in files
 * of their own that are only read. What is still in the queue is not told: the spool is the
 * server's alone, and to read it is to recover it. */
#pragma once

#include "config/config.h"

#include <jansson.h>

struct why_history {
    const struct config *config;
    const char *what; /* an id or an address */
    size_t limit;     /* 0: ten */
    /* As the server would tell it: {"story": …}; borrowed for the call. */
    void (*line)(void *owner, const json_t *line);
    void *owner;
};

/* 0 or -errno; -ENOENT where no stories were ever kept. */
NODISCARD int why_history(const struct why_history *why);
