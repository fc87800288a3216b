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

/* The first member of each element is its name. */
static int cmp_name(const void *name, const void *element)
{
    return cmp_lowered(*(const struct str *)name, *(const struct str *)element);
}

const struct config_domain *config_find_domain(const struct config *config, struct str name)
{
    const struct config_domain *found = config->domain_count == 0
                                            ? NULL
                                            : bsearch(&name, config->domains, config->domain_count,
                                                      sizeof *config->domains, cmp_name);
    bool any = config->sandbox && config->domain_count > 0;
    any = any && str_eq(config->domains[0].name, STR("*"));
    return !found && any ? &config->domains[0] : found;
}

const struct config_user_limits *config_find_user_limits(const struct config *config,
                                                         struct str user)
{
    struct allowance_name compared = allowance_name(user);
    struct str name = str_from(compared.text, compared.len);
    const struct config_user_limits *found =
        config->limited_user_count == 0
            ? NULL
            : bsearch(&name, config->limited_users, config->limited_user_count,
                      sizeof *config->limited_users, cmp_name);
    return found ? found : &config->user_limits;
}
