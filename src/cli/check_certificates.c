#include "cli/check_security.h"

#include "tls/inspect.h"

#include <time.h>

enum { DAY_S = 86400, SOON_DAYS = 14, OLD_DAYS = 825, SECURE_BITS = 112 };

static int64_t days_from_now(struct instant t)
{
    return (t.us / 1000000 - (int64_t)time(NULL)) / DAY_S;
}

static void check_dates(struct findings *f, struct str chain, const struct certificate_facts *facts)
{
    int64_t left = days_from_now(facts->ends), age = -days_from_now(facts->begins);
    if (facts->ends.us / 1000000 < (int64_t)time(NULL)) {
        finding_add(f, FINDING_OPEN, "keys", "%.*s expired %lld days ago", STR_ARG(chain),
                    (long long)-left);
    } else if (left < SOON_DAYS) {
        finding_add(f, FINDING_WEAK, "keys", "%.*s expires in %lld days", STR_ARG(chain),
                    (long long)left);
    }
    if (facts->begins.us / 1000000 > (int64_t)time(NULL)) {
        finding_add(f, FINDING_WEAK, "keys", "%.*s is not valid yet", STR_ARG(chain));
    }
    if (age > OLD_DAYS) {
        finding_add(f, FINDING_WEAK, "keys", "%.*s is %lld days old: time for a new key",
                    STR_ARG(chain), (long long)age);
    }
}

static void check_pair(struct findings *f, const struct config_certificate *pair,
                       const struct certificate_facts *facts)
{
    if (!facts->key_fits) {
        finding_add(f, FINDING_OPEN, "keys", "%.*s is not the key of %.*s", STR_ARG(pair->key),
                    STR_ARG(pair->chain));
    }
    if (facts->secure_bits < SECURE_BITS) {
        finding_add(f, FINDING_OPEN, "keys", "%.*s is an %s key of %d bits: too short",
                    STR_ARG(pair->key), facts->rsa ? "RSA" : "EC", facts->key_bits);
    }
    if (facts->weak_digest) {
        finding_add(f, FINDING_WEAK, "keys", "%.*s is signed with a digest that can be forged",
                    STR_ARG(pair->chain));
    }
    check_dates(f, pair->chain, facts);
}

void check_certificates(struct findings *findings, const struct config *config)
{
    bool named = config->certificate_count == 0;
    for (size_t i = 0; i < config->certificate_count; i++) {
        const struct config_certificate *pair = &config->certificates[i];
        struct certificate_facts facts;
        struct buf reason = {0};
        if (certificate_inspect(pair->chain.ptr, pair->key.ptr, config->hostname, &facts,
                                &reason)) {
            named = named || facts.names_host;
            check_pair(findings, pair, &facts);
        } else {
            finding_add(findings, FINDING_OPEN, "keys", "%.*s", STR_ARG(reason));
        }
        buf_done(&reason);
    }
    if (!named) {
        finding_add(findings, FINDING_WEAK, "keys", "no certificate is for %.*s",
                    STR_ARG(config->hostname));
    }
    if (config->certificate_count == 0 && !config->sandbox) {
        finding_add(findings, FINDING_NOTE, "keys",
                    "the certificate is signed by itself: those who check it will not believe it");
    }
}
