#include "path/route/tls_rule.h"

#include "path/route/transport.h"

struct str tls_level_word(enum tls_level level)
{
    static const struct str words[] = {
        [TLS_MAY] = STR_INIT("may"),
        [TLS_NONE] = STR_INIT("none"),
        [TLS_ENCRYPT] = STR_INIT("encrypt"),
        [TLS_VERIFY] = STR_INIT("verify"),
        [TLS_FINGERPRINT] = STR_INIT("fingerprint"),
    };
    return words[level];
}

static const struct config_tls_rule *find(const struct config *config, struct str domain)
{
    for (size_t i = 0; i < config->tls_rule_count; i++) {
        if (transport_matches(config->tls_rules[i].match, domain)) {
            return &config->tls_rules[i];
        }
    }
    return NULL;
}

/* The names that the certificate must bear one of, where the rule gives none. A host's name out of
 * an unsigned MX record may be the forger's own, with a good certificate: then only the domain that
 * the mail is for, or a name below it, will do. */
static struct str names_for(const struct next_hop *hop, const struct config_tls_rule *rule,
                            struct str domain, struct arena *arena)
{
    if (rule->policy.level != TLS_VERIFY || rule->policy.names.len > 0 || hop->secure) {
        return arena_copy(arena, rule->policy.names);
    }
    return arena_format(arena, "%.*s .%.*s", STR_ARG(domain), STR_ARG(domain));
}

bool tls_rule_apply(const struct config *config, struct str domain, struct str served,
                    struct next_hop *hop, struct arena *arena)
{
    const struct config_tls_rule *rule = find(config, domain);
    bool implicit = hop->tls.implicit;
    if (hop->kind != HOP_SMTP || (!rule && !implicit)) {
        return false;
    }
    if (rule) { /* copied: the configuration may be replaced while the hop is in use */
        hop->tls = rule->policy;
        hop->tls.implicit = implicit;
        hop->tls.names = names_for(hop, rule, served, arena);
        hop->tls.fingerprints = arena_copy(arena, rule->policy.fingerprints);
        hop->tls.source = arena_copy(arena, rule->match);
        if (!hop->tls.source.ptr || !hop->tls.names.ptr || !hop->tls.fingerprints.ptr) {
            hop->site = (struct str){0};
            return false;
        }
    }
    struct str level = tls_level_word(hop->tls.level);
    struct str names = hop->tls.names;
    struct str first = str_split(&names, ' ');
    hop->site = arena_format(arena, "%.*s/tls%s=%.*s:%.*s%s%.*s", STR_ARG(hop->site),
                             implicit ? "-implicit" : "", STR_ARG(level), STR_ARG(hop->tls.source),
                             first.len > 0 ? ":" : "", STR_ARG(first));
    return hop->site.ptr != NULL;
}
