/* signer.h: signatures by keys that are elsewhere (RFC 8301, RFC 8463). Null in struct ports:
 * nothing is signed. */
#pragma once

#include "core/base/str.h"
#include "port/inbox.h"

enum {
    SIGNER_DIGEST_SIZE = 32,   /* SHA-256 */
    SIGNER_OCTETS_MAX = 512,   /* RSA with 4,096 bits */
    SIGNER_ED25519_SIZE = 64,  /* what only an Ed25519 signature is long */
    SIGNER_RSA_SIZE_MIN = 128, /* 1,024 bits */
};

/* What is signed names the key's kind, which only its holder knows: so there is one for each. */
enum signer_kind { SIGNER_RSA, SIGNER_ED25519, SIGNER_KINDS };

/* Embedded by the caller, who keeps it until `done` ran: on its loop, never inside sign(). */
struct signer_order {
    void (*done)(struct signer_order *order);
    struct str file; /* the key, as the configuration names it */
    uint8_t digests[SIGNER_KINDS][SIGNER_DIGEST_SIZE];
    int result; /* octets, or -errno; -ENOENT: there is no such key, or it cannot be read */
    enum signer_kind kind;
    char octets[SIGNER_OCTETS_MAX];
    void *owner;

    /* The implementer's: */
    struct parcel parcel;
    struct inbox *inbox;
    struct signer_order *next;
};

struct signer {
    /* Takes some milliseconds, or seconds while the keys' holder is being replaced. */
    void (*sign)(struct signer *signer, struct signer_order *order);
};
