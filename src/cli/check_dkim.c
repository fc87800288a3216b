#include "cli/check_security.h"

#include "core/dns/name.h"
#include "core/mailauth/tags.h"
#include "keys/dkim_key.h"

enum { RSA_BITS_GOOD = 2048 };

bool check_dkim_files(struct config_problems *problems, const struct config *config,
                      struct str config_file)
{
    bool good = true;
    for (size_t i = 0; i < config->dkim_key_count; i++) {
        struct str file = config->dkim_keys[i].file;
        struct buf reason = {0};
        EVP_PKEY *key = dkim_key_read(file.ptr, &reason);
        if (!key) {
            bool forbidden = check_is_forbidden(file);
            config_problem(problems, forbidden, (struct config_place){.file = config_file},
                           "the DKIM key %.*s", STR_ARG(reason));
            good = good && forbidden;
        }
        EVP_PKEY_free(key);
        buf_done(&reason);
    }
    return good;
}

void check_dkim_keys(struct findings *findings, const struct config *config)
{
    for (size_t i = 0; i < config->dkim_key_count; i++) {
        struct str file = config->dkim_keys[i].file;
        struct buf reason = {0};
        EVP_PKEY *key = dkim_key_read(file.ptr, &reason);
        if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
            EVP_PKEY_get_bits(key) < RSA_BITS_GOOD) {
            finding_add(findings, FINDING_WEAK, "dkim",
                        "%.*s is an RSA key of %d bits: 2,048 are usual", STR_ARG(file),
                        EVP_PKEY_get_bits(key));
        }
        EVP_PKEY_free(key);
        buf_done(&reason);
    }
}

bool dkim_signs_for(const struct config *config, struct str domain, bool tls_reports)
{
    for (size_t i = 0; i < config->dkim_key_count; i++) {
        const struct config_dkim_key *key = &config->dkim_keys[i];
        bool below = key->subdomains == DKIM_BELOW_SIGN && dns_text_within(domain, key->domain);
        if ((key->use == DKIM_USE_MAIL || tls_reports) && (below || str_eq(domain, key->domain))) {
            return true;
        }
    }
    return false;
}

/* The key itself, in base64 without blanks. */
static bool read_public(struct str record, struct buf *out)
{
    struct tags tags;
    bool good = tags_parse(record, &tags) && tags_find(&tags, STR("p"));
    if (good) {
        tags_squeeze(out, tags_value(&tags, STR("p")));
    }
    return good;
}

enum dkim_record dkim_record_judge(const struct config_dkim_key *key, struct str published)
{
    struct buf reason = {0}, record = {0}, ours = {0}, theirs = {0};
    EVP_PKEY *private_key = dkim_key_read(key->file.ptr, &reason);
    enum dkim_record judgement = DKIM_RECORD_UNKNOWN;
    if (private_key) {
        dkim_key_record(private_key, key->use == DKIM_USE_TLS_REPORTS, &record);
        judgement = DKIM_RECORD_BROKEN;
    }
    if (private_key && read_public(buf_str(&record), &ours) && read_public(published, &theirs)) {
        judgement = theirs.len == 0                            ? DKIM_RECORD_WITHDRAWN
                    : str_eq(buf_str(&ours), buf_str(&theirs)) ? DKIM_RECORD_FITS
                                                               : DKIM_RECORD_OTHER;
    }
    EVP_PKEY_free(private_key);
    buf_done(&reason);
    buf_done(&record);
    buf_done(&ours);
    buf_done(&theirs);
    return judgement;
}
