#include "path/route/domains.h"

#include "core/dns/idn.h"

static bool listens_at(const struct config *config, struct ip ip)
{
    for (size_t i = 0; i < config->listen_count; i++) {
        if (ip_eq(config->listens[i].at.ip, ip)) {
            return true;
        }
    }
    return false;
}

const struct config_domain *local_own_domain(const struct config *config,
                                             const struct domain *domain, struct arena *arena,
                                             struct str *ascii)
{
    char room[DOMAIN_LEN_MAX];
    struct buf text = BUF_IN(room);
    *ascii = (struct str){0};
    if (idn_to_ascii(&text, domain->text)) {
        *ascii = arena_copy(arena, buf_str(&text));
    }
    buf_done(&text);
    bool literal = domain->kind != DOMAIN_NAME;
    if (literal && !config->sandbox) {
        bool ours = domain->ip.family != IP_NONE && config->domain_count > 0 &&
                    listens_at(config, domain->ip);
        return ours ? &config->domains[0] : NULL;
    }
    return ascii->len > 0 ? config_find_domain(config, *ascii) : NULL;
}

const struct alias *local_find_alias(const struct config_domain *domain, struct str name)
{
    size_t low = 0;
    size_t high = domain->alias_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(name, domain->aliases[middle].name);
        if (order == 0) {
            return &domain->aliases[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const struct config_user *local_find_user(const struct config_domain *domain, struct str local)
{
    size_t low = 0;
    size_t high = domain->user_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(local, domain->users[middle].local);
        if (order == 0) {
            return &domain->users[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}
