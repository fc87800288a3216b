#include "cli/check_security.h"

#include "tls/inspect.h"
#include "world/whole_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Whoever checks may have less rights than the server. */
bool check_is_forbidden(struct str file)
{
    return access(file.ptr, R_OK) != 0 && errno == EACCES;
}

static bool check_pair(struct config_problems *problems, const struct config *config,
                       const struct config_certificate *pair, struct config_place place)
{
    struct certificate_facts facts;
    struct buf reason = {0};
    bool forbidden = check_is_forbidden(pair->chain) || check_is_forbidden(pair->key);
    bool good =
        certificate_inspect(pair->chain.ptr, pair->key.ptr, config->hostname, &facts, &reason);
    if (!good) {
        config_problem(problems, forbidden, place, "the certificate or key %.*s",
                       STR_ARG(buf_str(&reason)));
    } else if (!facts.key_fits) {
        config_problem(problems, false, place, "%.*s is not the key of %.*s", STR_ARG(pair->key),
                       STR_ARG(pair->chain));
    }
    good = (good && facts.key_fits) || forbidden;
    buf_done(&reason);
    return good;
}

static bool check_readable(struct config_problems *problems, const char *what, struct str file,
                           struct config_place place)
{
    int error = file.len > 0 ? whole_file_check(file.ptr) : 0;
    bool forbidden = error == -EACCES;
    if (error) {
        config_problem(problems, forbidden, place, "%s %.*s: %s", what, STR_ARG(file),
                       strerror(-error));
    }
    return !error || forbidden;
}

bool check_configured_files(struct config_problems *problems, const struct config *config,
                            struct str config_file)
{
    struct config_place place = {.file = config_file};
    bool good = check_readable(problems, "the authorities", config->authorities, place);
    good = check_readable(problems, "the trust anchor", config->trust_anchor, place) && good;
    for (size_t i = 0; i < config->certificate_count; i++) {
        good = check_pair(problems, config, &config->certificates[i], place) && good;
    }
    return good;
}
