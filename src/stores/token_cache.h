/* token_cache.h: tokens that were found good a moment ago, by their SHA-256: the tokens themselves
 * are nowhere. Fixed memory; safe from any thread. Only good ones: a bad one that becomes good must
 * not be refused, and who guesses must not push the good ones out. */
#pragma once

#include "core/base/buf.h"

struct token_cache;

NODISCARD struct token_cache *token_cache_new(void); /* null: no memory */
void token_cache_free(struct token_cache *cache);    /* null is fine */
/* Times are seconds of the wall clock. True: the name is appended to `user`. */
NODISCARD bool token_cache_find(struct token_cache *cache, struct str token, int64_t now,
                                struct buf *user);
/* Names over 255 octets are not kept. */
void token_cache_keep(struct token_cache *cache, struct str token, struct str user, int64_t until);
