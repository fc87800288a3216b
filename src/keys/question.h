/* question.h: what is asked of the key process, and its answer, as they go over a SOCK_SEQPACKET
 * pair; both ends are the same program. */
#pragma once

#include "tls/remote_key.h"

struct key_question {
    struct key_id id;
    uint32_t operation; /* enum key_operation */
    uint32_t len;
    unsigned char input[KEY_BYTES_MAX];
};

struct key_answer {
    int32_t result; /* how long the signature is, or -errno */
    unsigned char made[KEY_BYTES_MAX];
};
