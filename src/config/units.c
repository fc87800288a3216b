#include "config/units.h"

#include "core/base/scan.h"

struct size_unit {
    struct str name;
    uint64_t octets;
};

#define KILO ((uint64_t)1000)
#define KIBI ((uint64_t)1024)

/* For a text, the name alone counts. For a size the first of the shortest texts is taken. */
static const struct size_unit size_units[] = {
    {STR_INIT("TiB"), KIBI *KIBI *KIBI *KIBI},
    {STR_INIT("GiB"), KIBI *KIBI *KIBI},
    {STR_INIT("MiB"), KIBI *KIBI},
    {STR_INIT("KiB"), KIBI},
    {STR_INIT("TB"), KILO *KILO *KILO *KILO},
    {STR_INIT("GB"), KILO *KILO *KILO},
    {STR_INIT("MB"), KILO *KILO},
    {STR_INIT("KB"), KILO},
    {STR_INIT(""), 1},
    {STR_INIT("B"), 1},
    {STR_INIT("T"), KIBI *KIBI *KIBI *KIBI},
    {STR_INIT("G"), KIBI *KIBI *KIBI},
    {STR_INIT("M"), KIBI *KIBI},
    {STR_INIT("K"), KIBI},
};
enum { SIZE_UNITS_WRITTEN = 9 }; /* those above "B" are what size_format() may choose */

bool text_size(struct str text, uint64_t *size)
{
    struct scan sc = {.rest = text};
    uint64_t count = scan_u64(&sc, UINT64_MAX);
    scan_spaces(&sc);
    for (size_t i = 0; scan_ok(&sc) && i < ARRAY_LEN(size_units); i++) {
        if (str_eq_nocase(sc.rest, size_units[i].name)) {
            if (count > UINT64_MAX / size_units[i].octets) {
                return false;
            }
            *size = count * size_units[i].octets;
            return true;
        }
    }
    return false;
}

void size_format(struct buf *out, uint64_t size)
{
    char best[32];
    size_t best_len = 0;
    for (size_t i = 0; i < SIZE_UNITS_WRITTEN; i++) {
        struct buf text = {0};
        if (size % size_units[i].octets == 0 && (size > 0 || size_units[i].octets == 1)) {
            buf_add_u64(&text, size / size_units[i].octets);
            buf_add(&text, size_units[i].name);
        }
        if (text.len > 0 && text.len < sizeof best && (best_len == 0 || text.len < best_len)) {
            best_len = text.len;
            for (size_t k = 0; k < text.len; k++) {
                best[k] = text.ptr[k];
            }
        }
        buf_done(&text);
    }
    buf_add(out, str_from(best, best_len));
}

struct span_unit {
    struct str name;
    int64_t us;
};

/* From the largest: a text must keep to the order. */
static const struct span_unit span_units[] = {
    {STR_INIT("w"), (int64_t)604800 * 1000000},
    {STR_INIT("d"), (int64_t)86400 * 1000000},
    {STR_INIT("h"), (int64_t)3600 * 1000000},
    {STR_INIT("m"), (int64_t)60 * 1000000},
    {STR_INIT("s"), 1000000},
    {STR_INIT("ms"), 1000},
    {STR_INIT("us"), 1},
};

/* The unit's place in the table, or its end. */
static size_t unit_of(struct str name)
{
    size_t i = 0;
    while (i < ARRAY_LEN(span_units) && !str_eq(name, span_units[i].name)) {
        i++;
    }
    return i;
}

bool text_span(struct str text, struct span *span)
{
    if (str_eq(text, STR("0"))) {
        *span = (struct span){0};
        return true;
    }
    struct scan sc = {.rest = text};
    int64_t sum = 0;
    size_t smallest = 0; /* units before this one are past */
    do {
        uint64_t count = scan_u64(&sc, INT64_MAX);
        scan_spaces(&sc);
        size_t unit = unit_of(scan_while1(&sc, ascii_is_alpha));
        scan_spaces(&sc);
        if (!scan_ok(&sc) || unit < smallest || unit == ARRAY_LEN(span_units) ||
            count > (uint64_t)(INT64_MAX - sum) / (uint64_t)span_units[unit].us) {
            return false;
        }
        sum += (int64_t)count * span_units[unit].us;
        smallest = unit + 1;
    } while (!scan_at_end(&sc));
    /* A blank is for between, not for the end. */
    if (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t') {
        return false;
    }
    *span = (struct span){sum};
    return true;
}

void span_format(struct buf *out, struct span span)
{
    if (span.us == 0) {
        buf_add_char(out, '0');
        return;
    }
    uint64_t left = span.us < 0 ? 0 - (uint64_t)span.us : (uint64_t)span.us;
    buf_add(out, span.us < 0 ? STR("-") : STR(""));
    /* Weeks are understood and not written: "7d" is what people expect to read. */
    for (size_t i = 1; i < ARRAY_LEN(span_units); i++) {
        uint64_t count = left / (uint64_t)span_units[i].us;
        left %= (uint64_t)span_units[i].us;
        if (count > 0) {
            buf_add_u64(out, count);
            buf_add(out, span_units[i].name);
        }
    }
}
