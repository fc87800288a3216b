#include "path/spool/segment.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/crc32c.h"
#include "core/base/scan.h"

enum { COPY_AT = SEGMENT_START / 2, HEADER_BYTES = 48 + SEGMENT_ENDS * 16, VERSION = 1 };

static const char magic[8] = {'P', 'R', 'S', 'P', 'O', 'O', 'L', '\n'};

static void put(char **at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        *(*at)++ = (char)(value >> (8 * i));
    }
}

void segment_header_write(const struct segment_header *h, char out[SEGMENT_START])
{
    memset(out, 0, SEGMENT_START);
    char *at = out;
    memcpy(at, magic, sizeof magic);
    at += sizeof magic;
    put(&at, VERSION, 4);
    put(&at, h->in_use ? 1 : 0, 4);
    put(&at, h->generation, 8);
    put(&at, h->nonce, 4);
    put(&at, h->slot, 4);
    put(&at, h->size, 8);
    put(&at, h->end_count, 8);
    for (size_t i = 0; i < h->end_count; i++) {
        put(&at, h->ends[i].generation, 8);
        put(&at, h->ends[i].end, 8);
    }
    at = out + HEADER_BYTES;
    put(&at, crc32c(0, str_from(out, HEADER_BYTES)), 4);
    memcpy(out + COPY_AT, out, HEADER_BYTES + 4);
}

static bool read_copy(struct str bytes, struct segment_header *h)
{
    struct segment_header got = {0};
    struct scan sc = {.rest = bytes};
    struct str name = scan_take(&sc, sizeof magic);
    uint32_t version = scan_get_u32(&sc);
    got.in_use = scan_get_u32(&sc) == 1;
    got.generation = scan_get_u64(&sc);
    got.nonce = scan_get_u32(&sc);
    got.slot = scan_get_u32(&sc);
    got.size = scan_get_u64(&sc);
    uint64_t count = scan_get_u64(&sc);
    for (size_t i = 0; i < SEGMENT_ENDS; i++) {
        got.ends[i].generation = scan_get_u64(&sc);
        got.ends[i].end = scan_get_u64(&sc);
    }
    uint32_t crc = scan_get_u32(&sc);
    if (!scan_ok(&sc) || !str_eq(name, str_from(magic, sizeof magic)) || version != VERSION ||
        count > SEGMENT_ENDS || crc != crc32c(0, str_head(bytes, HEADER_BYTES)) ||
        got.size < SEGMENT_START || got.size > UINT32_MAX) {
        return false;
    }
    got.end_count = (size_t)count;
    *h = got;
    return true;
}

static bool all_zero(struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] != 0) {
            return false;
        }
    }
    return true;
}

enum segment_header_result segment_header_read(struct str bytes, struct segment_header *h)
{
    struct segment_header first;
    struct segment_header second;
    bool first_good = read_copy(str_head(bytes, COPY_AT), &first);
    bool second_good = read_copy(str_tail(bytes, COPY_AT), &second);
    if (!first_good && !second_good) {
        return all_zero(str_head(bytes, SEGMENT_START)) ? HEADER_BLANK : HEADER_BAD;
    }
    /* Both are written at once; where the power failed between, the newer one is the truth: it is
     * never acknowledged half. Of one generation, "free" was written after "in use". */
    bool take_second = !first_good;
    if (first_good && second_good) {
        take_second = second.generation > first.generation ||
                      (second.generation == first.generation && first.in_use && !second.in_use);
    }
    *h = take_second ? second : first;
    return HEADER_OK;
}

uint32_t segment_seed(uint64_t generation, uint32_t nonce)
{
    char bytes[12];
    char *at = bytes;
    put(&at, generation, 8);
    put(&at, nonce, 4);
    return crc32c(0, str_from(bytes, sizeof bytes));
}
