#include "config/complete.h"

static bool is_within(struct str host, struct str domain)
{
    return str_eq_nocase(host, domain) ||
           (host.len > domain.len && host.ptr[host.len - domain.len - 1] == '.' &&
            str_ends_nocase(host, domain));
}

static struct str usual_domain(const struct config *c)
{
    struct str found = {0};
    for (size_t i = 0; i < c->domain_count; i++) {
        struct str name = c->domains[i].name;
        bool nearer = name.len > found.len && is_within(c->hostname, name);
        found = nearer ? name : found;
    }
    bool only = c->domain_count == 1 && !str_eq(c->domains[0].name, STR("*"));
    return found.len > 0 ? found : only ? c->domains[0].name : c->hostname;
}

static void add_standing(struct str *standing, size_t *count, struct str name)
{
    if (str_find(name, '.') == STR_NONE && !str_eq(name, STR("*"))) {
        standing[(*count)++] = name;
    }
}

bool config_set_completion(struct config *c)
{
    size_t count = 0;
    struct str *standing =
        arena_array(&c->arena, c->domain_count + c->transport_count + 1, sizeof *standing);
    if (!standing) {
        return false;
    }
    add_standing(standing, &count, STR("localhost"));
    for (size_t i = 0; i < c->domain_count; i++) {
        add_standing(standing, &count, c->domains[i].name);
    }
    for (size_t i = 0; i < c->transport_count; i++) {
        add_standing(standing, &count, c->transports[i].match);
    }
    struct str domain = c->complete.domain.len > 0 ? c->complete.domain : usual_domain(c);
    c->completion = (struct completion){
        .domain = c->complete.what == COMPLETE_NOTHING ? STR("") : domain,
        .hosts = c->complete.what == COMPLETE_HOSTS && !c->sandbox,
        .standing = standing,
        .standing_count = count,
    };
    return true;
}
