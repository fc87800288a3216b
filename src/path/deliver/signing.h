/* signing.h: a message that leaves gets the signatures of the domain in its From (RFC 6376): mail
 * of our own clients, and what this server itself writes. It is read once for its hash, in the form
 * that goes out, then the keys' holder is asked (port/signer.h). */
#pragma once

#include "core/mailauth/sign.h"
#include "core/smtp/data_encode.h"
#include "path/deliver/deliver.h"

enum { SIGNATURES_MAX = 4, SIGNING_PIECE = 16384 };

struct signing_field {
    struct signer_order order;
    const struct config_dkim_key *key;
    struct buf texts[SIGNER_KINDS]; /* the field up to its signature */
};

struct signing {
    void (*done)(struct signing *s); /* after signing_end() */
    void *owner;
    const struct ports *ports;
    const struct delivery_job *job;

    /* After `done`, if there is no error: the fields, on top of our additions. */
    struct buf top;
    int error;          /* -errno */
    struct str trouble; /* why, in words; as long as this is */

    /* Its own. */
    struct arena arena;
    struct sign sign;
    struct data_encoder encoder;
    struct buf encoded;
    struct crypto_digest *digest;
    bool chosen; /* the header is known, and with it the keys */
    struct signing_field fields[SIGNATURES_MAX];
    size_t count, open;
};

/* Whether such a message is to be signed at all, whatever its header says. */
bool signing_wanted(const struct ports *ports, const struct delivery_job *job);
/* The caller sets the first part. Null: no memory. */
NODISCARD struct signing *signing_new(const struct ports *ports, const struct delivery_job *job);
/* The message's next piece, additions first. False: no key is for it, no more is needed. */
NODISCARD bool signing_take(struct signing *s, struct str piece);
/* The message is over. True: `done` will follow; false: it has no signature, or there is an error.
 */
NODISCARD bool signing_end(struct signing *s);
/* Not while `done` is awaited. Null is fine. */
void signing_free(struct signing *s);
