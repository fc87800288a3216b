#include "core/base/scan.h"

void scan_fail(struct scan *sc)
{
    sc->failed = true;
}

bool scan_ok(const struct scan *sc)
{
    return !sc->failed;
}

bool scan_done(const struct scan *sc)
{
    return !sc->failed && sc->rest.len == 0;
}

bool scan_at_end(const struct scan *sc)
{
    return sc->rest.len == 0;
}

char scan_peek(const struct scan *sc)
{
    return sc->failed || sc->rest.len == 0 ? '\0' : sc->rest.ptr[0];
}

bool scan_try_char(struct scan *sc, char c)
{
    if (sc->failed || sc->rest.len == 0 || sc->rest.ptr[0] != c) {
        return false;
    }
    sc->rest = str_tail(sc->rest, 1);
    return true;
}

void scan_char(struct scan *sc, char c)
{
    if (!scan_try_char(sc, c)) {
        sc->failed = true;
    }
}

bool scan_try_word(struct scan *sc, struct str word)
{
    if (sc->failed || !str_starts_nocase(sc->rest, word)) {
        return false;
    }
    sc->rest = str_tail(sc->rest, word.len);
    return true;
}

void scan_word(struct scan *sc, struct str word)
{
    if (!scan_try_word(sc, word)) {
        sc->failed = true;
    }
}

struct str scan_take(struct scan *sc, size_t n)
{
    if (sc->failed || sc->rest.len < n) {
        sc->failed = true;
        return (struct str){0};
    }
    struct str taken = str_head(sc->rest, n);
    sc->rest = str_tail(sc->rest, n);
    return taken;
}

struct str scan_while(struct scan *sc, bool (*accept)(char))
{
    size_t n = 0;
    if (sc->failed) {
        return (struct str){0};
    }
    while (n < sc->rest.len && accept(sc->rest.ptr[n])) {
        n++;
    }
    return scan_take(sc, n);
}

struct str scan_while1(struct scan *sc, bool (*accept)(char))
{
    struct str taken = scan_while(sc, accept);
    if (taken.len == 0) {
        sc->failed = true;
    }
    return taken;
}

struct str scan_until(struct scan *sc, char stop)
{
    size_t at = str_find(sc->rest, stop);
    return scan_take(sc, at == STR_NONE ? sc->rest.len : at);
}

uint64_t scan_u64(struct scan *sc, uint64_t max)
{
    uint64_t value = 0;
    struct str digits = scan_while1(sc, ascii_is_digit);
    if (sc->failed || !str_to_u64(digits, max, &value)) {
        sc->failed = true;
        return 0;
    }
    return value;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

void scan_spaces(struct scan *sc)
{
    (void)scan_while(sc, is_space);
}

static uint64_t get_little_endian(struct scan *sc, size_t bytes)
{
    struct str raw = scan_take(sc, bytes);
    uint64_t v = 0;
    for (size_t i = 0; i < raw.len; i++) {
        v |= (uint64_t)(unsigned char)raw.ptr[i] << (8 * i);
    }
    return v;
}

uint8_t scan_get_u8(struct scan *sc)
{
    return (uint8_t)get_little_endian(sc, 1);
}

uint16_t scan_get_u16(struct scan *sc)
{
    return (uint16_t)get_little_endian(sc, 2);
}

uint32_t scan_get_u32(struct scan *sc)
{
    return (uint32_t)get_little_endian(sc, 4);
}

uint64_t scan_get_u64(struct scan *sc)
{
    return get_little_endian(sc, 8);
}

struct str scan_get_str(struct scan *sc)
{
    uint32_t len = scan_get_u32(sc);
    return scan_take(sc, len);
}
