/* asker.h: the worker's way to the key process: a signer for one loop's thread. */
#pragma once

#include "core/base/buf.h"
#include "tls/remote_key.h"

struct key_asker {
    struct key_signer signer;
    /* A socket to the key process, or -errno; `stuck`: the last one gave no answer. */
    int (*connect)(void *owner, bool stuck);
    void *owner;
    int socket; /* -1: none now */
    bool stuck;
};

void key_asker_open(struct key_asker *asker, int (*connect)(void *owner, bool stuck), void *owner);
/* Appends the chain of a pair (QUESTION_CHAIN), at most CHAIN_TEXT_MAX. 0, or -errno: -ENOENT and
 * -EKEYREJECTED as there. */
enum { CHAIN_TEXT_MAX = 256 << 10 };
NODISCARD int key_asker_chain(struct key_asker *asker, uint32_t pair, struct buf *out);
void key_asker_close(struct key_asker *asker);
