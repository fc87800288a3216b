/* verifier.h: what is kept of a password: a yescrypt hash (crypt(5)) and SCRAM's keys (RFC 5802,
 * RFC 7677), never the password. Everything here takes milliseconds on purpose: not on a loop. */
#pragma once

#include "core/base/buf.h"

enum { SCRAM_KEY_MAX = 64, SCRAM_SALT_MAX = 64, SCRAM_ITERATIONS = 10000 };

/* SCRAM's keys in base64, as text ends with NUL for the library's sake. */
struct scram_keys {
    char salt[SCRAM_SALT_MAX];
    char stored[SCRAM_KEY_MAX];
    char server[SCRAM_KEY_MAX];
    unsigned iterations; /* 0: none */
};

/* Slices of one line of the users' file. */
struct verifier {
    struct str crypt; /* "$y$…", or any hash that crypt(3) knows; empty: none */
    struct scram_keys sha256, sha1;
};

/* Appends the fields of a line, parted by blanks: the hash, then the keys in RFC 5803's form. `0`,
 * -EINVAL: not a password that can be prepared (SASLprep, RFC 4013), or empty; -ENOMEM, -EIO. */
NODISCARD int verifier_make(struct buf *out, struct str password);

/* Reads those fields; unknown kinds are passed over. False: one is malformed, or none is known. */
NODISCARD bool verifier_parse(struct str fields, struct verifier *v);

/* Takes as long for a null verifier (an unknown user) as for one made here. */
NODISCARD bool verifier_check(const struct verifier *v, struct str password);
