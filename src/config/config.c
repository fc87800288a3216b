#include "config/config.h"

#include <stdlib.h>

/* Callers see a configuration that nobody changes; the count of its holders is not part of it. */
static atomic_uint *holders_of(const struct config *config)
{
    return &((struct config *)(uintptr_t)config)->holders;
}

/* Who calls has a configuration that is held, so its count cannot be on its way to 0: a 0 seen here
 * is that of a configuration in somebody's own memory, which is not counted. */
const struct config *config_hold(const struct config *config)
{
    atomic_uint *holders = holders_of(config);
    if (atomic_load_explicit(holders, memory_order_relaxed) > 0) {
        atomic_fetch_add_explicit(holders, 1, memory_order_relaxed);
    }
    return config;
}

void config_drop(const struct config *config)
{
    if (!config || atomic_load_explicit(holders_of(config), memory_order_relaxed) == 0) {
        return;
    }
    if (atomic_fetch_sub_explicit(holders_of(config), 1, memory_order_acq_rel) == 1) {
        struct config *last = (struct config *)(uintptr_t)config;
        arena_done(&last->arena);
        free(last);
    }
}

/* Bytewise, as the names are sorted; they are in lower case already. */
static int cmp_lowered(struct str text, struct str lower)
{
    for (size_t i = 0; i < text.len && i < lower.len; i++) {
        unsigned char x = (unsigned char)ascii_lower(text.ptr[i]);
        unsigned char y = (unsigned char)lower.ptr[i];
        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    return (text.len > lower.len) - (text.len < lower.len);
}

const struct config_domain *config_find_domain(const struct config *config, struct str name)
{
    size_t low = 0;
    size_t high = config->domain_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = cmp_lowered(name, config->domains[middle].name);
        if (order == 0) {
            return &config->domains[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    bool any = config->sandbox && config->domain_count > 0;
    return any && str_eq(config->domains[0].name, STR("*")) ? &config->domains[0] : NULL;
}
