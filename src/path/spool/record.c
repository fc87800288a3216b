#include "path/spool/record.h"

#include "core/base/crc32c.h"
#include "core/base/scan.h"

enum { FLAG_BODY_FILE = 1, CHECK_AT = 6, CRC_AT = 8, AFTER_CRC = 12 };

static bool body_is_inline(const struct record *r)
{
    return r->type == RECORD_MESSAGE && !r->body_file;
}

uint32_t record_before_body(const struct record *r)
{
    return (uint32_t)(RECORD_HEAD + r->envelope.len + r->additions.len + r->outcomes.len);
}

uint64_t record_length(const struct record *r)
{
    return record_before_body(r) + (body_is_inline(r) ? r->body_size : 0);
}

static void put(char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (char)(value >> (8 * i));
    }
}

static uint16_t check_of(uint32_t seed, const char *head)
{
    uint32_t crc = crc32c(~seed, str_from(head, CHECK_AT));
    return (uint16_t)crc32c(crc, str_from(head + AFTER_CRC, RECORD_HEAD - AFTER_CRC));
}

static uint32_t crc_of(const struct record *r, uint32_t seed, const char head[RECORD_HEAD])
{
    uint32_t crc = crc32c(seed, str_from(head, CRC_AT));
    crc = crc32c(crc, str_from(head + AFTER_CRC, RECORD_HEAD - AFTER_CRC));
    crc = crc32c(crc, r->envelope);
    crc = crc32c(crc, r->additions);
    return crc32c(crc, r->outcomes);
}

void record_seal(const struct record *r, uint32_t seed, char head[RECORD_HEAD])
{
    put(head, record_length(r), 4);
    put(head + 4, r->type, 1);
    put(head + 5, r->body_file ? FLAG_BODY_FILE : 0, 1);
    put(head + AFTER_CRC, r->synced, 4);
    put(head + 16, r->id, 8);
    put(head + 24, r->first, 4);
    put(head + 28, r->last, 4);
    put(head + 32, r->born, 8);
    put(head + 40, r->envelope.len, 4);
    put(head + 44, r->additions.len, 4);
    put(head + 48, r->outcomes.len, 4);
    put(head + 52, r->body_crc, 4);
    put(head + 56, r->body_size, 8);
    put(head + CHECK_AT, check_of(seed, head), 2);
    put(head + CRC_AT, crc_of(r, seed, head), 4);
}

/* The numbers, and texts with a length but no bytes yet. Nothing here is trusted beyond that the
 * lengths add up. */
static bool read_numbers(struct str bytes, uint32_t seed, struct record *r, uint32_t *crc)
{
    struct scan sc = {.rest = str_head(bytes, RECORD_HEAD)};
    uint32_t length = scan_get_u32(&sc);
    uint8_t type = scan_get_u8(&sc);
    uint8_t flags = scan_get_u8(&sc);
    uint16_t check = scan_get_u16(&sc);
    *crc = scan_get_u32(&sc);
    r->synced = scan_get_u32(&sc);
    r->id = scan_get_u64(&sc);
    r->first = scan_get_u32(&sc);
    r->last = scan_get_u32(&sc);
    r->born = scan_get_u64(&sc);
    r->envelope = str_from(NULL, scan_get_u32(&sc));
    r->additions = str_from(NULL, scan_get_u32(&sc));
    r->outcomes = str_from(NULL, scan_get_u32(&sc));
    r->body_crc = scan_get_u32(&sc);
    r->body_size = scan_get_u64(&sc);
    if (!scan_done(&sc) || type < RECORD_MESSAGE || type > RECORD_ENDS || flags > FLAG_BODY_FILE ||
        check != check_of(seed, bytes.ptr)) {
        return false;
    }
    r->type = (enum record_type)type;
    r->body_file = flags == FLAG_BODY_FILE;
    if (r->type != RECORD_MESSAGE && (r->body_file || r->body_size > 0)) {
        return false;
    }
    uint64_t texts = (uint64_t)r->envelope.len + r->additions.len + r->outcomes.len;
    return texts < UINT32_MAX && (r->body_file || r->body_size < UINT32_MAX) &&
           record_length(r) == length;
}

static enum record_result read_texts(struct str bytes, uint32_t seed, uint32_t crc,
                                     struct record *r)
{
    struct str rest = str_tail(bytes, RECORD_HEAD);
    struct str *texts[] = {&r->envelope, &r->additions, &r->outcomes};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        *texts[i] = str_head(rest, texts[i]->len);
        rest = str_tail(rest, texts[i]->len);
    }
    return crc_of(r, seed, bytes.ptr) == crc ? RECORD_OK : RECORD_BAD;
}

enum record_result record_read_head(struct str bytes, uint32_t seed, struct record *r)
{
    uint32_t crc = 0;
    struct record got = {.type = RECORD_MESSAGE};
    if (bytes.len < RECORD_HEAD) {
        return RECORD_SHORT;
    }
    if (!read_numbers(bytes, seed, &got, &crc)) {
        return RECORD_BAD;
    }
    *r = got;
    return bytes.len < record_before_body(r) ? RECORD_SHORT : read_texts(bytes, seed, crc, r);
}

enum record_result record_read(struct str bytes, uint32_t seed, struct record *r, struct str *body)
{
    struct record got = {.type = RECORD_MESSAGE};
    enum record_result result = record_read_head(bytes, seed, &got);
    if (result == RECORD_BAD || bytes.len < RECORD_HEAD) {
        return result;
    }
    *r = got;
    if (result == RECORD_SHORT || bytes.len < record_length(r)) {
        return RECORD_SHORT;
    }
    struct str rest = str_tail(bytes, record_before_body(r));
    struct str found = str_head(rest, body_is_inline(r) ? (size_t)r->body_size : 0);
    if (crc32c(0, found) != r->body_crc && !r->body_file) {
        return RECORD_BAD;
    }
    if (body) {
        *body = found;
    }
    return RECORD_OK;
}
