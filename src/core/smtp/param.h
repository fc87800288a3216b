/* param.h: the parameters of MAIL and RCPT (RFC 5321 4.1.2, RFC 1870, 6152, 6531, 3030, 3461,
 * 2852, 4865, 6710). */
#pragma once

#include "core/base/arena.h"
#include "core/base/instant.h"
#include "core/mail/envelope.h"

enum param_result {
    PARAM_OK,
    PARAM_UNKNOWN, /* 555 */
    PARAM_BAD,     /* 501: malformed, or given twice */
};

/* Slices of the command line; texts in xtext as they came, checked to stand for printable ASCII. */
struct mail_params {
    bool size_given;
    uint64_t size;
    enum envelope_body body;
    bool body_given;
    bool smtputf8;
    bool require_tls; /* RFC 8689 */
    enum dsn_ret ret;
    struct str envid; /* xtext; null pointer: not given */
    int8_t priority;  /* RFC 6710 */
    bool priority_given;
    struct span hold_for;      /* RFC 4865: this long, at least a second; or */
    struct instant hold_until; /* until then; both zero: not given, and never both are */
    struct deliver_by by;      /* RFC 2852 */
};

struct rcpt_params {
    uint8_t notify;           /* enum dsn_notify */
    struct str orcpt_type;    /* "rfc822"; empty: not given */
    struct str orcpt_address; /* xtext, or with the type "utf-8" as RFC 6533 3 writes it */
};

/* `text` is what follows the path. `*params` is written on success only. */
NODISCARD enum param_result param_parse_mail(struct str text, struct mail_params *params);
NODISCARD enum param_result param_parse_rcpt(struct str text, struct rcpt_params *params);

/* The forms that an envelope keeps, in `arena`; a null pointer where memory failed. */
struct str param_envid(const struct mail_params *params, struct arena *arena);
struct str param_orcpt(const struct rcpt_params *params, struct arena *arena);
