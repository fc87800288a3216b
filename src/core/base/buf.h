/* buf.h: a growing run of bytes on the heap. Failure sticks: after an allocation failed, `failed`
 * stays true and every further append does nothing, so a caller builds a whole text and checks
 * once. Zeroed memory is an empty buffer. */
#pragma once

#include "core/base/str.h"

struct buf {
    char *ptr;
    size_t len;
    size_t cap;
    bool failed;
    bool lent; /* `ptr` is somebody else's: not freed, and left for the heap when it is full */
};

/* An empty buffer whose first bytes go to an array of chars, for what is short and soon done. */
#define BUF_IN(array) ((struct buf){.ptr = (array), .cap = sizeof(array), .lent = true})

void buf_done(struct buf *b);  /* frees; `b` is then an empty buffer */
void buf_clear(struct buf *b); /* length 0; keeps the memory, forgets a failure */
struct str buf_str(const struct buf *b);

NODISCARD bool buf_reserve(struct buf *b, size_t more); /* room for `more` bytes; false sticks */
void buf_add(struct buf *b, struct str s);
void buf_add_all(struct buf *b, const struct str *parts, size_t count);
/* buf_join(b, text, STR("."), …): several texts, where speed matters more than a format's shape. */
#define buf_join(b, ...)                                                                           \
    buf_add_all((b), (const struct str[]){__VA_ARGS__},                                            \
                sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))
void buf_add_char(struct buf *b, char c);
void buf_add_u64(struct buf *b, uint64_t value);
void buf_add_digits(struct buf *b, uint64_t value,
                    size_t least); /* with zeros in front; up to 20 */
void buf_add_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Removes the first n bytes (all, if fewer). */
void buf_drop(struct buf *b, size_t n);

/* Integers in little-endian order and length-prefixed strings, for records on disk. */
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u16(struct buf *b, uint16_t v);
void buf_put_u32(struct buf *b, uint32_t v);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_str(struct buf *b, struct str s); /* u32 length, bytes */
