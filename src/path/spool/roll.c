#include "path/spool/roll.h"

#include "core/base/crc32c.h"
#include "core/base/scan.h"

static const struct str magic = STR_INIT("PRROLL1\n");

enum { EACH = 8 };

size_t roll_count(const struct roll *r)
{
    return r->generations.len / EACH;
}

uint64_t roll_generation(const struct roll *r, size_t i)
{
    struct scan sc = {.rest = str_tail(r->generations, i * EACH)};
    return scan_get_u64(&sc);
}

uint64_t roll_newest(const struct roll *r)
{
    size_t count = roll_count(r);
    return count > 0 ? roll_generation(r, count - 1) : 0;
}

void roll_write(struct buf *out, const struct roll *r)
{
    size_t from = out->len;
    buf_add(out, magic);
    buf_put_u64(out, r->version);
    buf_put_u64(out, r->end);
    buf_put_u64(out, roll_count(r));
    buf_add(out, r->generations);
    buf_put_u32(out, crc32c(0, str_tail(buf_str(out), from)));
    while (!out->failed && (out->len - from) % ROLL_ALIGN != 0) {
        buf_add_char(out, '\0');
    }
}

static bool ascending(const struct roll *r)
{
    uint64_t last = 0;
    for (size_t i = 0; i < roll_count(r); i++) {
        uint64_t generation = roll_generation(r, i);
        if (generation <= last) {
            return false;
        }
        last = generation;
    }
    return true;
}

bool roll_read(struct str bytes, struct roll *r)
{
    struct roll got = {0};
    struct scan sc = {.rest = bytes};
    struct str name = scan_take(&sc, magic.len);
    got.version = scan_get_u64(&sc);
    got.end = scan_get_u64(&sc);
    uint64_t count = scan_get_u64(&sc);
    if (!scan_ok(&sc) || !str_eq(name, magic) || count > sc.rest.len / EACH) {
        return false;
    }
    got.generations = scan_take(&sc, (size_t)count * EACH);
    size_t covered = bytes.len - sc.rest.len;
    uint32_t crc = scan_get_u32(&sc);
    if (!scan_ok(&sc) || crc != crc32c(0, str_head(bytes, covered)) || !ascending(&got)) {
        return false;
    }
    *r = got;
    return true;
}
