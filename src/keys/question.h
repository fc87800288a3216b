/* question.h: what is asked of the key process, and its answer, as they go over a SOCK_SEQPACKET
 * pair; both ends are the same program. */
#pragma once

#include "tls/remote_key.h"

/* Beside enum key_operation: the key of DKIM whose file has the name with that SHA-256, applied to
 * the digest for its kind. Input: enum signer_kind's digests, one after the other. */
enum { KEY_DKIM = KEY_OPERATIONS };

struct key_question {
    struct key_id id;
    uint32_t operation; /* enum key_operation, or KEY_DKIM */
    uint32_t len;
    unsigned char input[KEY_BYTES_MAX];
};

struct key_answer {
    int32_t result; /* how long the signature is, or -errno */
    unsigned char made[KEY_BYTES_MAX];
};
