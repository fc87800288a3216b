#include "core/dns/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_true(dns_name_parse(str_from_cstr(text), &name));
    return name;
}

static struct ip ip_of(const char *text)
{
    struct ip ip;
    assert_true(ip_parse(str_from_cstr(text), &ip));
    return ip;
}

/* One of each type that is read. */
static struct dns_build sample(void)
{
    struct dns_build b;
    struct dns_name owner = name_of("example.org");
    struct dns_name other = name_of("mx.example.org");
    dns_build_start(&b, &owner, DNS_MX, DNS_NOERROR);
    dns_build_mx(&b, &owner, 10, &other);
    dns_build_ip(&b, &owner, ip_of("192.0.2.1"));
    dns_build_ip(&b, &other, ip_of("2001:db8::1"));
    dns_build_name(&b, &owner, DNS_CNAME, &other);
    dns_build_name(&b, &owner, DNS_PTR, &other);
    dns_build_text(&b, &owner, STR("v=spf1 -all"));
    dns_build_raw(&b, &owner, DNS_TLSA, STR("\3\1\1hash"));
    dns_build_raw(&b, &owner, 257, STR("whatever"));
    dns_build_section(&b, DNS_AUTHORITY);
    dns_build_soa(&b, &owner);
    assert_false(b.out.failed);
    return b;
}

static void every_type_is_read_as_its_value(void **state)
{
    (void)state;
    struct dns_build b = sample();
    struct dns_message m;
    struct dns_record r;
    struct dns_name owner = name_of("EXAMPLE.org");
    struct dns_name other = name_of("mx.example.org");
    assert_true(dns_message_parse(buf_str(&b.out), &m));
    assert_true(m.response && m.has_question && m.question_type == DNS_MX);
    assert_true(dns_name_eq(&m.question, &owner));
    struct dns_record_iter it = dns_records_begin(&m, DNS_ANSWER);
    assert_true(dns_record_next(&it, &r));
    assert_true(r.type == DNS_MX && r.preference == 10 && dns_name_eq(&r.target, &other));
    assert_true(dns_name_eq(&r.name, &owner)); /* it was compressed */
    assert_int_equal(r.ttl, 300);
    assert_true(dns_record_next(&it, &r) && ip_eq(r.ip, ip_of("192.0.2.1")));
    assert_true(dns_record_next(&it, &r) && ip_eq(r.ip, ip_of("2001:db8::1")));
    assert_true(dns_record_next(&it, &r) && r.type == DNS_CNAME);
    assert_true(dns_name_eq(&r.target, &other));
    assert_true(dns_record_next(&it, &r) && r.type == DNS_PTR);
    assert_true(dns_record_next(&it, &r) && r.type == DNS_TXT);
    struct buf text = {0};
    dns_record_text(&text, &r);
    assert_true(str_eq(buf_str(&text), STR("v=spf1 -all")));
    buf_done(&text);
    assert_true(dns_record_next(&it, &r) && r.type == DNS_TLSA);
    assert_true(r.tlsa.usage == 3 && r.tlsa.selector == 1 && r.tlsa.matching == 1);
    assert_true(str_eq(r.tlsa.data, STR("hash")));
    assert_true(dns_record_next(&it, &r) && r.type == 257);
    assert_true(str_eq(r.rdata, STR("whatever")));
    assert_false(dns_record_next(&it, &r));
    it = dns_records_begin(&m, DNS_AUTHORITY);
    assert_true(dns_record_next(&it, &r) && r.type == DNS_SOA && r.soa.minimum == 300);
    assert_false(dns_record_next(&it, &r));
    buf_done(&b.out);
}

static void a_message_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct dns_build b = sample();
    struct dns_message m;
    for (size_t len = 0; len < b.out.len; len++) {
        char *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, b.out.ptr, len);
        assert_false(dns_message_parse(str_from(exact, len), &m));
        free(exact);
    }
    buf_done(&b.out);
}

static void a_long_text_comes_back_whole(void **state)
{
    (void)state;
    char text[600];
    struct dns_build b;
    struct dns_message m;
    struct dns_record r;
    struct buf out = {0};
    struct dns_name owner = name_of("example.org");
    memset(text, 'x', sizeof text);
    dns_build_start(&b, &owner, DNS_TXT, DNS_NOERROR);
    dns_build_text(&b, &owner, str_from(text, sizeof text));
    assert_true(dns_message_parse(buf_str(&b.out), &m));
    struct dns_record_iter it = dns_records_begin(&m, DNS_ANSWER);
    assert_true(dns_record_next(&it, &r));
    dns_record_text(&out, &r);
    assert_true(str_eq(buf_str(&out), str_from(text, sizeof text)));
    buf_done(&out);
    buf_done(&b.out);
}

/* A message of one answer whose data is a name given in wire form. */
static bool accepts_target(struct str wire)
{
    struct dns_build b;
    struct dns_message m;
    struct dns_name owner = name_of("example.org");
    dns_build_start(&b, &owner, DNS_CNAME, DNS_NOERROR);
    dns_build_raw(&b, &owner, DNS_CNAME, wire);
    bool accepted = dns_message_parse(buf_str(&b.out), &m);
    buf_done(&b.out);
    return accepted;
}

static void compression_pointers_lead_backwards_only(void **state)
{
    (void)state;
    /* The header has 12 octets, the question 17, the record's head 12: its data stands at 41. */
    assert_true(accepts_target(STR("\xc0\x0c")));
    assert_true(accepts_target(STR("\1a\xc0\x14")));
    assert_false(accepts_target(STR("\xc0\x29"))); /* itself */
    assert_false(accepts_target(STR("\xc0\x2a"))); /* its own second octet */
    assert_false(accepts_target(STR("\1a\xc0\x29")));
    assert_false(accepts_target(STR("\xc0\x2b"))); /* beyond */
    assert_false(accepts_target(STR("\xc0\x02"))); /* the header */
    assert_false(accepts_target(STR("\xff\xff")));
    assert_false(accepts_target(STR("\x40\x0c"))); /* reserved label types */
    assert_false(accepts_target(STR("\x80\x0c")));
    assert_false(accepts_target(STR("\xc0\x0c\0"))); /* data left over */
    assert_false(accepts_target(STR("")));
    assert_false(accepts_target(STR("\1a")));
}

static void a_name_grown_by_pointers_stays_within_255_octets(void **state)
{
    (void)state;
    struct buf wire = {0};
    /* Three labels of 63 and one of n before a pointer to "example.org" (13 octets). */
    for (int i = 0; i < 3; i++) {
        buf_add_char(&wire, 63);
        for (int j = 0; j < 63; j++) {
            buf_add_char(&wire, 'a');
        }
    }
    size_t base = wire.len;
    for (int n = 48; n <= 50; n++) {
        wire.len = base;
        buf_add_char(&wire, (char)n);
        for (int j = 0; j < n; j++) {
            buf_add_char(&wire, 'b');
        }
        buf_add(&wire, STR("\xc0\x0c"));
        assert_int_equal(accepts_target(buf_str(&wire)), 192 + 1 + n + 13 <= 255);
    }
    buf_done(&wire);
}

static void data_of_the_wrong_size_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        uint16_t type;
        struct str data;
        bool accepted;
    } rows[] = {
        {"A of 4", DNS_A, STR_INIT("1234"), true},
        {"A of 3", DNS_A, STR_INIT("123"), false},
        {"A of 5", DNS_A, STR_INIT("12345"), false},
        {"AAAA of 16", DNS_AAAA, STR_INIT("0123456789abcdef"), true},
        {"AAAA of 15", DNS_AAAA, STR_INIT("0123456789abcde"), false},
        {"MX without name", DNS_MX, STR_INIT("\0\1"), false},
        {"MX of the root", DNS_MX, STR_INIT("\0\0\0"), true},
        {"TXT of nothing", DNS_TXT, STR_INIT(""), false},
        {"TXT empty", DNS_TXT, STR_INIT("\0"), true},
        {"TXT beyond", DNS_TXT, STR_INIT("\4abc"), false},
        {"TLSA of 2", DNS_TLSA, STR_INIT("\3\1"), false},
        {"TLSA of 3", DNS_TLSA, STR_INIT("\3\1\1"), true},
        {"SOA short", DNS_SOA, STR_INIT("\0\0abcd"), false},
    };
    struct dns_name owner = name_of("example.org");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dns_build b;
        struct dns_message m;
        dns_build_start(&b, &owner, rows[i].type, DNS_NOERROR);
        dns_build_raw(&b, &owner, rows[i].type, rows[i].data);
        if (dns_message_parse(buf_str(&b.out), &m) != rows[i].accepted) {
            fail_msg("%s", rows[i].row);
        }
        buf_done(&b.out);
    }
}

static void counts_beyond_the_records_are_refused(void **state)
{
    (void)state;
    struct dns_build b = sample();
    struct dns_message m;
    for (size_t at = 4; at < 12; at += 2) {
        b.out.ptr[at + 1]++;
        /* One question more would begin where the answers do; it cannot end well either. */
        assert_false(dns_message_parse(buf_str(&b.out), &m));
        b.out.ptr[at + 1]--;
    }
    assert_true(dns_message_parse(buf_str(&b.out), &m));
    buf_done(&b.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read_as_its_value),
        cmocka_unit_test(a_message_cut_anywhere_is_refused),
        cmocka_unit_test(a_long_text_comes_back_whole),
        cmocka_unit_test(compression_pointers_lead_backwards_only),
        cmocka_unit_test(a_name_grown_by_pointers_stays_within_255_octets),
        cmocka_unit_test(data_of_the_wrong_size_is_refused),
        cmocka_unit_test(counts_beyond_the_records_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
