#include "core/smtp/sasl.h"

// clang-format off
const struct sasl_mechanism sasl_mechanisms[SASL_KINDS] = {
    [SASL_SCRAM_SHA_256_PLUS] = {.name = STR_INIT("SCRAM-SHA-256-PLUS"), .binds = true},
    [SASL_SCRAM_SHA_256]      = {.name = STR_INIT("SCRAM-SHA-256")},
    [SASL_SCRAM_SHA_1_PLUS]   = {.name = STR_INIT("SCRAM-SHA-1-PLUS"), .binds = true},
    [SASL_SCRAM_SHA_1]        = {.name = STR_INIT("SCRAM-SHA-1")},
    [SASL_OAUTHBEARER]        = {.name = STR_INIT("OAUTHBEARER"), .shows_secret = true},
    [SASL_XOAUTH2]            = {.name = STR_INIT("XOAUTH2"), .shows_secret = true},
    [SASL_PLAIN]              = {.name = STR_INIT("PLAIN"), .shows_secret = true},
    [SASL_LOGIN]              = {.name = STR_INIT("LOGIN"), .shows_secret = true, .server_first = true},
};
// clang-format on

enum sasl_kind sasl_find(struct str name)
{
    unsigned kind = 0;
    while (kind < SASL_KINDS && !str_eq_nocase(sasl_mechanisms[kind].name, name)) {
        kind++;
    }
    return (enum sasl_kind)kind;
}

sasl_set sasl_usable(sasl_set set, bool encrypted, bool bindable)
{
    sasl_set usable = 0;
    for (unsigned kind = 0; kind < SASL_KINDS; kind++) {
        const struct sasl_mechanism *m = &sasl_mechanisms[kind];
        bool may = (encrypted || !m->shows_secret) && (bindable || !m->binds);
        usable |= may ? set & SASL_ONE(kind) : 0;
    }
    return usable;
}
