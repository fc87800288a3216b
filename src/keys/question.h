/* question.h: what is asked of the key process, and its answer, as they go over a SOCK_SEQPACKET
 * pair; both ends are the same program. */
#pragma once

#include "tls/remote_key.h"

/* Beside enum key_operation: the key of DKIM whose file has the name with that SHA-256, applied to
 * the digest for its kind (input: enum signer_kind's digests, one after the other); and part of the
 * chain of a certificate (input: a struct chain_place). */
enum { KEY_DKIM = KEY_OPERATIONS, QUESTION_CHAIN };

/* A chain goes in as many answers as it takes, the last of which is empty. -ENOENT: there is no
 * such pair; -EKEYREJECTED: it is wrong, as has been logged. */
struct chain_place {
    uint32_t pair;   /* by the configuration's order */
    uint32_t offset; /* in the text of the chain: certificates in PEM */
};

struct key_question {
    struct key_id id;
    uint32_t operation; /* enum key_operation, KEY_DKIM or QUESTION_CHAIN */
    uint32_t len;
    unsigned char input[KEY_BYTES_MAX];
};

struct key_answer {
    int32_t result; /* how long the signature is, or -errno */
    unsigned char made[KEY_BYTES_MAX];
};
