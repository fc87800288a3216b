/* sign.h: a message's own signatures in the making (RFC 6376 section 5, 8301, 8463): a machine that
 * is fed the message in pieces, as it will leave (lines end in CRLF), and for which the caller does
 * what is not pure: SHA-256 over what sign_take() and sign_end() put out is the body's hash; then
 * each key's sign_field() makes a field and what is to be hashed and signed, and sign_seal() ends
 * it. Always relaxed/relaxed. All but the header's copy lives in the arena. */
#pragma once

#include "core/mailauth/canon_body.h"
#include "core/mailauth/canon_header.h"
#include "core/mailauth/signature.h"

enum { SIGN_HEADER_MAX = 1 << 18 };

enum sign_state {
    SIGN_IN_HEADER,
    SIGN_IN_BODY, /* the header is known: `from` */
    SIGN_UNFIT,   /* it will have no signature, for this header has none that is sound: it is too
                     long, not well-formed, or names not just one domain in From */
};

struct sign {
    enum sign_state state;
    struct str from; /* the domain in From, in lower case and A-labels */
    bool failed;     /* no memory */

    /* Its own: */
    struct arena *arena;
    struct buf header; /* with the line end of its last field, without the empty line */
    struct canon_index index;
    struct canon_body canon;
};

struct sign_terms {
    struct str domain, selector; /* in A-labels */
    enum signature_algorithm algorithm;
    struct str fields; /* names with colons: each is signed as often as it is there and once more,
                          so that none can be added; empty: the usual ones */
    int64_t time, end; /* t= and x=: Unix seconds; 0: without */
    struct str body_hash;
};

void sign_begin(struct sign *s, struct arena *arena);
/* Takes from `*in` what there is room for; returns how many octets of the canonical body are in
 * `out` (CANON_ROOM at least). Again, until `*in` is empty; then the message's next piece. */
size_t sign_take(struct sign *s, struct str *in, char *out, size_t cap);
/* After the last piece: again, until it returns 0. */
size_t sign_end(struct sign *s, char *out, size_t cap);
/* IN_BODY: appends the field up to its empty b= to `field`, and what SHA-256 and the key are to be
 * applied to, to `input`. False: it would have more names than anybody reads. */
NODISCARD bool sign_field(struct sign *s, const struct sign_terms *terms, struct buf *field,
                          struct buf *input);
/* Appends the signature, in lines, and the field's end. */
void sign_seal(struct buf *field, struct str octets);
/* A field of that name, whatever the case? */
bool sign_has_field(const struct sign *s, struct str name);
void sign_done(struct sign *s);
