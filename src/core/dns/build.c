#include "core/dns/build.h"

#include <string.h>

enum { QUESTION_AT = 12, TTL = 300, STRING_MAX = 255 };

static void put(struct buf *out, uint32_t value, unsigned octets)
{
    while (octets-- > 0) {
        buf_add_char(out, (char)(value >> (8 * octets) & 0xff));
    }
}

static struct str wire(const struct dns_name *name)
{
    return str_from((const char *)name->wire, name->len);
}

void dns_build_start(struct dns_build *b, const struct dns_name *name, uint16_t type,
                     enum dns_rcode rcode)
{
    memset(b, 0, sizeof *b);
    b->question = *name;
    put(&b->out, 0, 2);
    put(&b->out, 0x8180U | (uint32_t)rcode, 2); /* a response, recursion wished and done */
    put(&b->out, 1, 2);
    put(&b->out, 0, 2);
    put(&b->out, 0, 2);
    put(&b->out, 0, 2);
    buf_add(&b->out, wire(name));
    put(&b->out, type, 2);
    put(&b->out, DNS_CLASS_IN, 2);
}

void dns_build_section(struct dns_build *b, enum dns_section section)
{
    b->section = section;
}

void dns_build_raw(struct dns_build *b, const struct dns_name *owner, uint16_t type,
                   struct str rdata)
{
    if (dns_name_eq(owner, &b->question)) {
        put(&b->out, 0xc000U | QUESTION_AT, 2);
    } else {
        buf_add(&b->out, wire(owner));
    }
    put(&b->out, type, 2);
    put(&b->out, DNS_CLASS_IN, 2);
    put(&b->out, TTL, 4);
    put(&b->out, (uint32_t)rdata.len, 2);
    buf_add(&b->out, rdata);
    if (!b->out.failed) {
        uint8_t *count = (uint8_t *)b->out.ptr + 6 + 2 * (size_t)b->section;
        count[1]++;
        count[0] = (uint8_t)(count[0] + (count[1] == 0));
    }
}

void dns_build_ip(struct dns_build *b, const struct dns_name *owner, struct ip ip)
{
    bool v4 = ip.family == IP_V4;
    dns_build_raw(b, owner, v4 ? DNS_A : DNS_AAAA, str_from((char *)ip.bytes, v4 ? 4 : 16));
}

void dns_build_name(struct dns_build *b, const struct dns_name *owner, uint16_t type,
                    const struct dns_name *target)
{
    dns_build_raw(b, owner, type, wire(target));
}

void dns_build_mx(struct dns_build *b, const struct dns_name *owner, uint16_t preference,
                  const struct dns_name *target)
{
    struct buf rdata = {0};
    put(&rdata, preference, 2);
    buf_add(&rdata, wire(target));
    dns_build_raw(b, owner, DNS_MX, buf_str(&rdata));
    buf_done(&rdata);
}

void dns_build_text(struct dns_build *b, const struct dns_name *owner, struct str text)
{
    struct buf rdata = {0};
    do {
        struct str string = str_head(text, STRING_MAX);
        buf_add_char(&rdata, (char)string.len);
        buf_add(&rdata, string);
        text = str_tail(text, string.len);
    } while (text.len > 0);
    dns_build_raw(b, owner, DNS_TXT, buf_str(&rdata));
    buf_done(&rdata);
}

void dns_build_soa(struct dns_build *b, const struct dns_name *owner)
{
    struct buf rdata = {0};
    buf_add(&rdata, wire(owner));
    buf_add(&rdata, wire(owner));
    for (uint32_t i = 0; i < 5; i++) {
        put(&rdata, TTL, 4);
    }
    dns_build_raw(b, owner, DNS_SOA, buf_str(&rdata));
    buf_done(&rdata);
}
