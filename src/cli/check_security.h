/* check_security.h: what is open: `postrider check --security`. */
#pragma once

#include "cli/findings.h"
#include "cli/options.h"

/* What the configuration allows, what lies around in files, what the kernel lacks. */
void check_security(struct findings *findings, const struct options_config *source,
                    const struct config *config);
/* The certificates and keys. */
void check_certificates(struct findings *findings, const struct config *config);
/* Whether a file is there that only others may read. */
bool check_is_forbidden(struct str file);
/* Whether certificates, their keys, authorities and the trust anchor can be used; false with
 * errors; like the next one. */
NODISCARD bool check_configured_files(struct config_problems *problems, const struct config *config,
                                      struct str config_file);
/* Whether the keys that sign mail can be used; false with errors, which the caller's own rights may
 * be the reason for in what is a warning. */
NODISCARD bool check_dkim_files(struct config_problems *problems, const struct config *config,
                                struct str config_file);
/* What they are worth. */
void check_dkim_keys(struct findings *findings, const struct config *config);

/* Whether some key signs mail whose From is in that domain, or our reports about TLS. */
bool dkim_signs_for(const struct config *config, struct str domain, bool tls_reports);

/* What a TXT record at its selector is to a key that signs mail. */
enum dkim_record {
    DKIM_RECORD_FITS,
    DKIM_RECORD_OTHER, /* another key's */
    DKIM_RECORD_WITHDRAWN,
    DKIM_RECORD_BROKEN,
    DKIM_RECORD_UNKNOWN, /* our own key cannot be read; that is told elsewhere */
};
enum dkim_record dkim_record_judge(const struct config_dkim_key *key, struct str published);

/* What others look for in the DNS: MX, SPF, DMARC, keys of DKIM, and the names of our own
 * addresses. Asks the configuration's servers. False, with the reason told on standard error, where
 * that cannot be. */
NODISCARD bool check_records(struct findings *findings, const struct config *config);
