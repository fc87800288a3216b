#include "path/route/transport.h"

bool transport_matches(struct str pattern, struct str domain)
{
    if (str_eq(pattern, STR("*"))) {
        return true;
    }
    if (str_starts(pattern, STR("."))) {
        return domain.len > pattern.len && str_ends_nocase(domain, pattern);
    }
    return str_eq_nocase(pattern, domain);
}

const struct config_transport *transport_find(const struct config *config, struct str domain)
{
    for (size_t i = 0; i < config->transport_count; i++) {
        if (transport_matches(config->transports[i].match, domain)) {
            return &config->transports[i];
        }
    }
    return NULL;
}
