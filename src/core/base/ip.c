#include "core/base/ip.h"

#include "core/base/scan.h"

#include <string.h>

static void scan_v4(struct scan *sc, uint8_t out[4])
{
    for (int i = 0; i < 4; i++) {
        if (i > 0) {
            scan_char(sc, '.');
        }
        struct str digits = scan_while1(sc, ascii_is_digit);
        uint64_t octet = 0;
        bool leading_zero = digits.len > 1 && digits.ptr[0] == '0';
        if (!scan_ok(sc) || leading_zero || !str_to_u64(digits, 255, &octet)) {
            scan_fail(sc);
            return;
        }
        out[i] = (uint8_t)octet;
    }
}

bool ip_parse_v4(struct str text, struct ip *ip)
{
    struct scan sc = {.rest = text};
    struct ip made = {.family = IP_V4};
    scan_v4(&sc, made.bytes);
    if (!scan_done(&sc)) {
        return false;
    }
    *ip = made;
    return true;
}

static unsigned hex_value(char c)
{
    return ascii_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(ascii_lower(c) - 'a' + 10);
}

/* Bytes of groups read so far, and where "::" stood (-1: nowhere). */
struct v6_groups {
    uint8_t bytes[16];
    int used;
    int gap;
};

static void scan_v6_group(struct scan *sc, struct v6_groups *g)
{
    struct scan before = *sc;
    struct str hex = scan_while1(sc, ascii_is_hex);
    if (scan_peek(sc) == '.' && g->used <= 12) {
        *sc = before;
        scan_v4(sc, g->bytes + g->used);
        g->used += 4;
        if (!scan_at_end(sc)) {
            scan_fail(sc);
        }
        return;
    }
    if (hex.len > 4 || g->used > 14) {
        scan_fail(sc);
        return;
    }
    unsigned value = 0;
    for (size_t i = 0; i < hex.len; i++) {
        value = value << 4 | hex_value(hex.ptr[i]);
    }
    g->bytes[g->used++] = (uint8_t)(value >> 8);
    g->bytes[g->used++] = (uint8_t)value;
}

static void scan_v6(struct scan *sc, struct v6_groups *g)
{
    if (scan_try_word(sc, STR("::"))) {
        g->gap = 0;
        if (scan_at_end(sc)) {
            return;
        }
    }
    scan_v6_group(sc, g);
    while (scan_ok(sc) && !scan_at_end(sc)) {
        scan_char(sc, ':');
        if (g->gap < 0 && scan_try_char(sc, ':')) {
            g->gap = g->used;
            if (scan_at_end(sc)) {
                return;
            }
        }
        scan_v6_group(sc, g);
    }
}

bool ip_parse_v6(struct str text, struct ip *ip)
{
    struct scan sc = {.rest = text};
    struct v6_groups g = {.gap = -1};
    scan_v6(&sc, &g);
    if (!scan_done(&sc) || (g.gap < 0 ? g.used != 16 : g.used > 14)) {
        return false;
    }
    struct ip made = {.family = IP_V6};
    size_t head = g.gap < 0 ? 16 : (size_t)g.gap;
    size_t tail = (size_t)g.used - (g.gap < 0 ? 16 : head);
    memcpy(made.bytes, g.bytes, head);
    memcpy(made.bytes + 16 - tail, g.bytes + head, tail);
    *ip = made;
    return true;
}

bool ip_parse(struct str text, struct ip *ip)
{
    return ip_parse_v4(text, ip) || ip_parse_v6(text, ip);
}

static unsigned group(const uint8_t *bytes, int i)
{
    return (unsigned)bytes[2 * (size_t)i] << 8 | bytes[2 * (size_t)i + 1];
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 4.2). */
static void longest_zero_run(const uint8_t *bytes, int *start, int *length)
{
    *start = -1;
    *length = 1;
    for (int i = 0; i < 8; i++) {
        int run = 0;
        while (i + run < 8 && group(bytes, i + run) == 0) {
            run++;
        }
        if (run > *length) {
            *start = i;
            *length = run;
        }
        i += run;
    }
}

static void format_v6(struct buf *out, const uint8_t *bytes)
{
    int start;
    int length;
    longest_zero_run(bytes, &start, &length);
    for (int i = 0; i < 8; i++) {
        if (i == start) {
            buf_add(out, STR("::"));
            i += length - 1;
            continue;
        }
        if (i > 0 && i != start + length) {
            buf_add_char(out, ':');
        }
        buf_add_format(out, "%x", group(bytes, i));
    }
}

struct ip ip_unmap(struct ip ip)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (ip.family != IP_V6 || memcmp(ip.bytes, mapped, sizeof mapped) != 0) {
        return ip;
    }
    struct ip v4 = {.family = IP_V4};
    memcpy(v4.bytes, ip.bytes + 12, 4);
    return v4;
}

/* Every log line has one. */
static void add_quad(struct buf *out, const uint8_t bytes[4])
{
    for (size_t i = 0; i < 4; i++) {
        buf_add_u64(out, bytes[i]);
        if (i < 3) {
            buf_add_char(out, '.');
        }
    }
}

void ip_format(struct buf *out, struct ip ip)
{
    struct ip v4 = ip_unmap(ip);
    if (v4.family == IP_V6) {
        format_v6(out, ip.bytes);
    } else if (v4.family == IP_V4) { /* RFC 5952 section 5: a mapped one shows what it is */
        buf_add(out, ip.family == IP_V6 ? STR("::ffff:") : STR(""));
        add_quad(out, v4.bytes);
    }
}

struct str ip_text(struct ip ip, char out[IP_TEXT_MAX])
{
    struct buf text = {.ptr = out, .cap = IP_TEXT_MAX, .lent = true};
    ip_format(&text, ip);
    size_t len = text.lent && text.len < IP_TEXT_MAX ? text.len : 0; /* no address is longer */
    out[len] = '\0';
    buf_done(&text);
    return str_from(out, len);
}

bool ip_eq(struct ip a, struct ip b)
{
    return a.family == b.family && memcmp(a.bytes, b.bytes, a.family == IP_V4 ? 4 : 16) == 0;
}

void ip_reverse_name(struct buf *out, struct ip ip)
{
    if (ip.family == IP_V4) {
        buf_add_format(out, "%u.%u.%u.%u.in-addr.arpa", ip.bytes[3], ip.bytes[2], ip.bytes[1],
                       ip.bytes[0]);
        return;
    }
    for (int i = 15; i >= 0; i--) {
        buf_add_format(out, "%x.%x.", ip.bytes[i] & 15U, ip.bytes[i] >> 4);
    }
    buf_add(out, STR("ip6.arpa"));
}

bool network_parse(struct str text, struct network *net)
{
    struct str rest = text;
    struct str address = str_split(&rest, '/');
    struct network made = {0};
    if (!ip_parse(address, &made.ip)) {
        return false;
    }
    uint64_t bits = made.ip.family == IP_V4 ? 32 : 128;
    if (address.len != text.len && !str_to_u64(rest, bits, &bits)) {
        return false;
    }
    made.prefix = (uint8_t)bits;
    *net = made;
    return true;
}

bool network_contains(struct network net, struct ip ip)
{
    ip = ip_unmap(ip);
    if (net.ip.family != ip.family) {
        return false;
    }
    for (unsigned bit = 0; bit < net.prefix; bit++) {
        unsigned mask = 0x80U >> (bit % 8);
        if ((net.ip.bytes[bit / 8] & mask) != (ip.bytes[bit / 8] & mask)) {
            return false;
        }
    }
    return true;
}

bool endpoint_parse(struct str text, struct endpoint *e)
{
    size_t colon = str_rfind(text, ':');
    if (colon == STR_NONE) {
        return false;
    }
    struct str host = str_head(text, colon);
    uint64_t port = 0;
    struct endpoint made = {0};
    bool bracketed = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    bool ok = bracketed ? ip_parse_v6(str_from(host.ptr + 1, host.len - 2), &made.ip)
                        : ip_parse_v4(host, &made.ip);
    if (!ok || !str_to_u64(str_tail(text, colon + 1), UINT16_MAX, &port)) {
        return false;
    }
    made.port = (uint16_t)port;
    *e = made;
    return true;
}

void endpoint_format(struct buf *out, struct endpoint e)
{
    bool brackets = e.ip.family == IP_V6;
    buf_add(out, brackets ? STR("[") : STR(""));
    ip_format(out, e.ip);
    buf_add(out, brackets ? STR("]:") : STR(":"));
    buf_add_u64(out, e.port);
}
