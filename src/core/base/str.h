/* str.h: a bounded slice of bytes, passed by value. Borrows; owns nothing; no NUL is needed or
 * expected. An empty slice may have a null pointer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODISCARD __attribute__((warn_unused_result))

struct str {
    const char *ptr;
    size_t len;
};

/* STR() in expressions; STR_INIT() in static tables, where a compound literal is refused. */
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_INIT(literal)                                                                          \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

/* For printf-like formats: "%.*s", STR_ARG(s). */
#define STR_ARG(s) (int)(s).len, (s).len ? (s).ptr : ""

/* Recovers the structure around an embedded member (completions, list and heap nodes). */
#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

static inline struct str str_from(const char *ptr, size_t len)
{
    return (struct str){ptr, len};
}

struct str str_from_cstr(const char *cstr); /* cstr may be null: empty */

bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
int str_cmp(struct str a, struct str b);        /* bytewise, like memcmp then length */
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_ends_nocase(struct str s, struct str suffix);

#define STR_NONE ((size_t)-1)
/* Index of the first (last) occurrence, or STR_NONE. */
size_t str_find(struct str s, char c);
size_t str_rfind(struct str s, char c);
size_t str_find_str(struct str s, struct str needle);

/* The first n bytes, and what follows them; n beyond the end is the end. */
static inline struct str str_head(struct str s, size_t n)
{
    return (struct str){s.ptr, n < s.len ? n : s.len};
}

static inline struct str str_tail(struct str s, size_t n)
{
    if (n >= s.len) {
        return (struct str){s.len ? s.ptr + s.len : s.ptr, 0};
    }
    return (struct str){s.ptr + n, s.len - n};
}

/* Without leading and trailing SP, HTAB, CR and LF. */
struct str str_trim(struct str s);
/* Cuts `*rest` at the first `c`: returns what stood before it, `*rest` becomes what follows.
 * Without a `c` returns all and leaves `*rest` empty. */
struct str str_split(struct str *rest, char c);

/* Decimal digits only, the whole of `s`; false on anything else or on overflow of `max`. */
NODISCARD bool str_to_u64(struct str s, uint64_t max, uint64_t *value);

/* Whether there is a control character of ASCII in it (NUL, CR and LF among them). */
bool str_has_control(struct str s);

/* ASCII, whatever the locale. */
static inline bool ascii_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_is_alnum(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c);
}

static inline bool ascii_is_hex(char c)
{
    return ascii_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static inline bool ascii_is_print(char c) /* 0x20 to 0x7e */
{
    return c >= 0x20 && c < 0x7f;
}

static inline char ascii_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static inline char ascii_upper(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
}
