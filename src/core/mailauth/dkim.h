/* dkim.h: do the signatures of a message verify? (RFC 6376, 8301, 8463): a machine over the header,
 * for which the caller does what is not pure:
 *
 *  - the DNS: dkim_question() and dkim_answer(), as for the machines of core/dns; any number at
 * once;
 *  - the body: for each of `bodies`, SHA-256 over what canon_body.h makes of the body, told with
 *    dkim_body(); at any time;
 *  - the signatures: dkim_work() hands out what is to be verified, dkim_worked() takes the verdict.
 *
 * It is over when dkim_done(). The header must stay where it is; all else lives in the arena. */
#pragma once

#include "core/dns/chain.h"
#include "core/mailauth/canon_body.h"
#include "core/mailauth/canon_header.h"
#include "core/mailauth/key.h"
#include "core/mailauth/signature.h"

enum {
    DKIM_SIGNATURES_MAX = 10, /* the topmost; each costs a question and an RSA operation */
    DKIM_CHECKS_MAX = DKIM_SIGNATURES_MAX + ARC_SETS_MAX + 1,
    DKIM_KEYS_MAX = 4, /* TXT records at one selector */
};

enum dkim_result {
    DKIM_OPEN,
    DKIM_PASS,
    DKIM_FAIL,      /* it does not fit the message, or is over */
    DKIM_POLICY,    /* SHA-1, or a key of less than 1,024 bits: not believed (RFC 8301) */
    DKIM_TEMPERROR, /* the DNS does not answer */
    DKIM_PERMERROR, /* not well-formed, no key, a key for something else */
};

struct dkim;

/* One signature. */
struct dkim_check {
    struct signature signature;
    size_t position; /* of its field in the header, from the top, 0 first */
    enum dkim_result result;
    struct str reason; /* why, in words */
    bool testing;      /* the key's owner only tries DKIM: a pass is worth nothing */

    /* Its own: */
    struct chain chain;
    struct key keys[DKIM_KEYS_MAX];
    size_t key_count, key_at;
    size_t body; /* in `bodies`; a seal has none: STR_NONE */
    bool handed_out;
    /* Appends what the signature is of. */
    void (*input)(struct dkim *d, const struct dkim_check *check, struct buf *out);
};

/* A body's hash that is wanted; several signatures may want the same. */
struct dkim_body {
    struct canon_body canon; /* to begin with */
    bool known;
    uint64_t length; /* of the whole canonical body */
    uint8_t hash[SIGNATURE_HASH_SIZE];
};

struct dkim {
    struct dkim_check *checks;
    size_t count;
    bool left_out; /* there are more signatures than are looked at */
    struct dkim_body *bodies;
    size_t body_count;

    /* Its own: */
    struct arena *arena;
    struct canon_index index;
    int64_t now;
    const struct arc *arc; /* what seals are of */
};

/* `header`: the message or its header. `now`: Unix seconds; 0: signatures do not end. False: no
 * memory. */
NODISCARD bool dkim_start(struct dkim *d, struct arena *arena, struct str header, int64_t now);
bool dkim_question(struct dkim *d, struct dns_question *question); /* false: none now */
void dkim_answer(struct dkim *d, uint32_t id, const struct dns_answer *answer);
void dkim_body(struct dkim *d, size_t body, const uint8_t hash[SIGNATURE_HASH_SIZE],
               uint64_t length);

struct dkim_work {
    size_t check;
    enum signature_algorithm algorithm;
    struct str key; /* as in struct key */
    struct str signature;
    struct buf input; /* what is signed; the caller frees it */
};

enum dkim_verdict {
    DKIM_GOOD,
    DKIM_BAD,
    DKIM_KEY_BROKEN, /* it is no such key */
    DKIM_KEY_SHORT,  /* RSA with less than 1,024 bits */
};

bool dkim_work(struct dkim *d, struct dkim_work *work); /* false: none now */
void dkim_worked(struct dkim *d, size_t check, enum dkim_verdict verdict);
bool dkim_done(const struct dkim *d);
/* Nothing more is waited for: what is open is a TEMPERROR for that reason. */
void dkim_give_up(struct dkim *d, const char *reason);

/* Another signature to check: arc.c's. Null: there is no room. */
struct dkim_check *dkim_add(struct dkim *d, enum signature_kind kind,
                            const struct canon_entry *entry);
/* The check of the signature at that place of the header, or null. */
const struct dkim_check *dkim_at(const struct dkim *d, size_t position);
const char *dkim_result_name(enum dkim_result result); /* "pass", as in Authentication-Results */
