/* question.h: what the worker asks of the login process, and its answer, as datagrams. Pure. Either
 * side believes nothing of the other's bytes. */
#pragma once

#include "core/base/buf.h"
#include "core/smtp/sasl.h"
#include "port/login.h"

enum {
    LOGIN_RESPONSE_MAX = 12288, /* of a client, in base64 (RFC 4954 section 4) */
    LOGIN_DATAGRAM_MAX = 32768,
};

enum { LOGIN_NOBODY = 0 };

enum login_asked {
    LOGIN_BEGIN = 1, /* a new exchange, and its first step */
    LOGIN_STEP,
    LOGIN_END,  /* the exchange is over or given up; there is no answer */
    LOGIN_PING, /* are you there? LOGIN_MORE answers at once, by the same number */
};

/* Texts are borrowed. */
struct login_question {
    enum login_asked asked;
    uint32_t id; /* the worker's, for the exchange; never LOGIN_NOBODY but in a PING */
    enum sasl_kind kind;
    uint64_t network; /* the client's, as guard_network() numbers it */
    bool encrypted;
    struct str exporter; /* 32 octets, or none */
    struct str response; /* base64, as the client sent it */
};

struct login_answer {
    uint32_t id;
    enum login_result result;
    struct str challenge; /* base64 */
    struct str user;
};

/* Append it. */
void login_question_format(struct buf *out, const struct login_question *question);
void login_answer_format(struct buf *out, const struct login_answer *answer);
/* False where the bytes, all of them, are none. */
NODISCARD bool login_question_parse(struct str bytes, struct login_question *question);
NODISCARD bool login_answer_parse(struct str bytes, struct login_answer *answer);
