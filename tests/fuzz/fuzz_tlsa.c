/* Property: of the TLSA records in an answer (one octet of length before each), those without a
 * fault and only those are used, in order; without a signature none is; each is shown in bounds. */
#include "core/dns/build.h"
#include "core/dns/dane.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static struct dns_name name_of(struct str text)
{
    struct dns_name name;
    require(dns_name_parse(text, &name));
    return name;
}

static void answer(struct dane *d, struct dns_build *b, bool secure)
{
    struct dns_question question;
    require(!b->out.failed && dane_question(d, &question));
    dane_answer(d, &(struct dns_answer){.secure = secure, .message = buf_str(&b->out)});
    buf_done(&b->out);
}

static void check_usable(const struct dane *d)
{
    for (size_t i = 0; i < d->count; i++) {
        struct buf text = {0};
        require(tlsa_fault(&d->records[i]) == NULL);
        tlsa_format(&text, &d->records[i]);
        require(text.len < 64);
        buf_done(&text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_from((const char *)data, size);
    struct dns_name host = name_of(STR("mx.example"));
    struct dns_name owner = name_of(STR("_25._tcp.mx.example"));
    struct arena arena = {0};
    struct dns_build b = {0};
    struct dane d;
    bool secure = size > 0 && data[0] & 1;
    size_t records = 0;
    dane_start(&d, &arena, STR("mx.example"), 25);
    dns_build_start(&b, &host, DNS_A, DNS_NOERROR);
    dns_build_ip(&b, &host, (struct ip){IP_V4, {192, 0, 2, 1}});
    answer(&d, &b, true);
    dns_build_start(&b, &owner, DNS_TLSA, DNS_NOERROR);
    for (rest = str_tail(rest, 1); rest.len > 0 && records < 200; records++) {
        size_t len = (unsigned char)rest.ptr[0];
        struct str rdata = str_head(str_tail(rest, 1), len);
        dns_build_raw(&b, &owner, DNS_TLSA, rdata);
        rest = str_tail(rest, 1 + len);
    }
    answer(&d, &b, secure);
    require(d.verdict != DANE_ASKING);
    require(d.verdict != DANE_USABLE || (secure && d.count > 0 && d.count <= records));
    require(d.verdict == DANE_USABLE || d.count == 0);
    check_usable(&d);
    arena_done(&arena);
    return 0;
}
