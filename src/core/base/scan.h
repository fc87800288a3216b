/* scan.h: a cursor over text or bytes whose first failure sticks. Grammars are written as a
 * sequence of calls without a check between; scan_done() tells at the end whether all matched and
 * all was used. After a failure every call returns empty or zero and moves nothing. */
#pragma once

#include "core/base/str.h"

struct scan {
    struct str rest;
    bool failed;
};

void scan_fail(struct scan *sc);
bool scan_ok(const struct scan *sc);
bool scan_done(const struct scan *sc); /* nothing failed and nothing is left */
bool scan_at_end(const struct scan *sc);

char scan_peek(const struct scan *sc);   /* the next byte, or NUL at the end or after a failure */
void scan_char(struct scan *sc, char c); /* that byte, or failure */
bool scan_try_char(struct scan *sc, char c);                  /* takes it if it is next */
void scan_word(struct scan *sc, struct str word);             /* that text, any case, or failure */
bool scan_try_word(struct scan *sc, struct str word);         /* takes it if it is next, any case */
struct str scan_take(struct scan *sc, size_t n);              /* n bytes, or failure */
struct str scan_while(struct scan *sc, bool (*accept)(char)); /* as many as accepted, may be none */
struct str scan_while1(struct scan *sc, bool (*accept)(char)); /* at least one, or failure */
struct str scan_until(struct scan *sc,
                      char stop);                 /* up to `stop`, which is not taken, or the end */
uint64_t scan_u64(struct scan *sc, uint64_t max); /* decimal digits, at least one */
void scan_spaces(struct scan *sc);                /* skips SP and HTAB */

/* Binary: little-endian integers and length-prefixed strings, as buf_put_*() writes them. */
uint8_t scan_get_u8(struct scan *sc);
uint16_t scan_get_u16(struct scan *sc);
uint32_t scan_get_u32(struct scan *sc);
uint64_t scan_get_u64(struct scan *sc);
struct str scan_get_str(struct scan *sc);
