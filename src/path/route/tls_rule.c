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
        [TLS_DANE] = STR_INIT("dane"),
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

bool tls_rule_exists(const struct config *config, struct str domain)
{
    return find(config, domain) != NULL;
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

/* Copied: the configuration may be replaced while the hop is in use. */
static bool take_rule(const struct config_tls_rule *rule, struct str served, struct next_hop *hop,
                      struct arena *arena)
{
    struct tls_policy before = hop->tls;
    hop->tls = rule->policy;
    hop->tls.implicit = before.implicit;
    hop->tls.domain = before.domain;
    hop->tls.required = before.required;
    hop->tls.names = names_for(hop, rule, served, arena);
    hop->tls.fingerprints = arena_copy(arena, rule->policy.fingerprints);
    hop->tls.source = arena_copy(arena, rule->match);
    return hop->tls.source.ptr && hop->tls.names.ptr && hop->tls.fingerprints.ptr;
}

/* What the hosts' policies depend on, beyond the hosts: in words, for the site. */
static struct str mark_of(const struct tls_policy *tls, struct arena *arena)
{
    struct str level = tls->dane ? STR("dane") : tls_level_word(tls->level);
    struct str names = tls->dane || tls->sts ? STR("") : tls->names;
    struct str first = str_split(&names, ' ');
    struct str promised = tls->sts ? tls->names : STR("");
    return arena_format(arena, "/tls%s%s=%.*s%s%.*s%s%.*s%s%.*s", tls->implicit ? "-implicit" : "",
                        tls->required ? "-required" : "", STR_ARG(level),
                        tls->source.len > 0 ? ":" : "", STR_ARG(tls->source),
                        first.len > 0 ? ":" : "", STR_ARG(first), tls->sts ? "+sts:" : "",
                        STR_ARG(promised));
}

bool tls_rule_apply(const struct config *config, struct str domain, struct str served,
                    struct next_hop *hop, struct arena *arena)
{
    const struct config_tls_rule *rule = find(config, domain);
    bool dane = hop->secure && config->trust_anchor.len > 0 && !hop->tls.optional;
    bool good = true;
    if (hop->kind != HOP_SMTP) {
        return false;
    }
    if (rule) {
        good = take_rule(rule, served, hop, arena);
    } else if (dane || hop->tls.sts) {
        hop->tls.dane = dane;
        hop->tls.names = arena_copy(arena, served);
        good = hop->tls.names.ptr != NULL;
    } else if (!hop->tls.implicit && !hop->tls.required) {
        return false;
    }
    struct str mark = mark_of(&hop->tls, arena);
    struct str site = hop->site;
    hop->site = (struct str){0};
    if (good && mark.ptr) {
        hop->site = arena_format(arena, "%.*s%.*s", STR_ARG(site), STR_ARG(mark));
    }
    return hop->site.ptr != NULL;
}
