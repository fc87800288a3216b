/* key_process.h: the process that holds private keys, and only signs. It reads certificates and
 * keys once, gives up everything, and answers questions of the worker's loops; a key never leaves
 * it. For other files there is another process. */
#pragma once

#include "core/base/buf.h"
#include "keys/question.h"

enum { KEYS_MAX = 64, KEY_SOCKETS_MAX = 256 };

struct dkim_entry {
    struct key_id id; /* dkim_key_id() */
    EVP_PKEY *key;
};

struct key_ring {
    struct {
        struct key_id id;
        EVP_PKEY_CTX *contexts[KEY_OPERATIONS]; /* null where it is not of that kind */
        EVP_PKEY *key;                          /* null: the pair is wrong */
        struct buf chain;                       /* in PEM */
    } pairs[KEYS_MAX];
    size_t count;
    struct dkim_entry *dkim; /* as many as there are */
    size_t dkim_count;
};

/* A certificate chain and its key. False, with `*reason`: a file is missing or damaged, the key is
 * none of RSA or EC, or not the certificate's. The pair keeps its number all the same. */
NODISCARD bool key_ring_add(struct key_ring *ring, const char *chain, const char *key,
                            struct buf *reason);
/* A key of DKIM. False, with `*reason`. */
NODISCARD bool key_ring_add_dkim(struct key_ring *ring, const char *file, struct buf *reason);
/* Never fails but by the answer. */
void key_ring_answer(struct key_ring *ring, const struct key_question *question,
                     struct key_answer *answer);
void key_ring_done(struct key_ring *ring);

/* Answers at the sockets that come over `door` (supervise/channel.h), until that and all of them
 * are closed by the other side. */
void key_process_run(struct key_ring *ring, int door);
