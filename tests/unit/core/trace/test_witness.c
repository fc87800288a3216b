#include "core/trace/witness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct witness read_line(const char *name, const char *value)
{
    struct witness w;
    struct header_field field = {.name = str_from_cstr(name), .value = str_from_cstr(value)};
    assert_true(witness_read(&field, 3, &w));
    assert_int_equal(w.position, 3);
    return w;
}

static void assert_text(struct str got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.len ? got.ptr : "", want, got.len);
}

static void assert_ip(struct ip ip, const char *want)
{
    char text[IP_TEXT_MAX];
    assert_int_not_equal(ip.family, IP_NONE);
    assert_text(ip_text(ip, text), want);
}

static void a_field_that_says_nothing_of_the_way_is_no_witness(void **state)
{
    (void)state;
    struct witness w;
    struct header_field field = {.name = STR("Subject"), .value = STR(" hello")};
    assert_false(witness_read(&field, 0, &w));
    assert_int_equal(w.kind, WITNESS_NONE);
}

static void hosts_are_found_in_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *host;
        enum witness_kind kind;
    } rows[] = {
        {"Return-Path", " <anna@example.org>", "example.org", WITNESS_RETURN_PATH},
        {"Return-Path", " <>", "", WITNESS_RETURN_PATH},
        {"return-path", " anna@example.org", "example.org", WITNESS_RETURN_PATH},
        {"Delivered-To", " anna@example.org", "example.org", WITNESS_DELIVERED_TO},
        {"Message-ID", "\r\n <1.2@host.example.org>", "host.example.org", WITNESS_MESSAGE_ID},
        {"Message-ID", " no host", "", WITNESS_MESSAGE_ID},
        {"From", " \"a@b\" <anna@example.org>", "example.org", WITNESS_FROM},
        {"List-Id", " All of us <us.lists.example.org>", "us.lists.example.org", WITNESS_LIST},
        {"List-Id", " us.lists.example.org", "us.lists.example.org", WITNESS_LIST},
        {"List-Post", " <mailto:us@example.org?subject=x>", "example.org", WITNESS_LIST},
        {"List-Unsubscribe", " <https://w.example.org/off?a=b@c>", "w.example.org", WITNESS_LIST},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct witness w = read_line(rows[i].name, rows[i].value);
        assert_text(w.host, rows[i].host);
        assert_int_equal(w.kind, rows[i].kind);
    }
}

static void received_spf_tells_client_sender_and_receiver(void **state)
{
    (void)state;
    struct witness w =
        read_line("Received-SPF",
                  " pass (mx.example.org: domain of anna@example.net designates\r\n 192.0.2.1 "
                  "as permitted sender) receiver=mx.example.org; client-ip=192.0.2.1;\r\n "
                  "envelope-from=\"anna@example.net\"; helo=mail.example.net;");
    assert_text(w.result, "pass");
    assert_ip(w.ip, "192.0.2.1");
    assert_text(w.host, "example.net");
    assert_text(w.helo, "mail.example.net");
    assert_text(w.by, "mx.example.org");
    w = read_line("Received-SPF", " SoftFail (x 198.51.100.1) client-ip=2001:db8::1; "
                                  "envelope-from=<a@example.com>");
    assert_text(w.result, "SoftFail");
    assert_ip(w.ip, "2001:db8::1");
    assert_text(w.host, "example.com");
}

static void authentication_results_tell_who_testifies_and_the_address(void **state)
{
    (void)state;
    struct witness w =
        read_line("Authentication-Results",
                  " mx.example.org;\r\n dkim=pass header.i=@example.net header.s=s1;\r\n spf=fail "
                  "(mx: domain "
                  "of anna@example.net does not designate 203.0.113.7 as permitted sender) "
                  "smtp.mailfrom=anna@example.net smtp.helo=mail.example.net;\r\n dmarc=none");
    assert_text(w.by, "mx.example.org");
    assert_ip(w.ip, "203.0.113.7");
    assert_text(w.spf, "fail");
    assert_text(w.dkim, "pass");
    assert_text(w.dmarc, "none");
    assert_text(w.arc, "");
    assert_text(w.host, "example.net");
    assert_text(w.helo, "mail.example.net");
    w = read_line("Authentication-Results", " spf=pass (sender IP is 192.0.2.9) "
                                            "smtp.mailfrom=example.com; dkim=none");
    assert_text(w.by, "");
    assert_text(w.spf, "pass");
    assert_ip(w.ip, "192.0.2.9");
    /* Where the message came from is not who the client was. */
    w = read_line("Authentication-Results",
                  " mx.example.org;\r\n\tx-trace=forged policy.origin=\"192.0.2.9\"");
    assert_text(w.by, "mx.example.org");
    assert_int_equal(w.ip.family, IP_NONE);
}

static void an_arc_set_tells_its_instance(void **state)
{
    (void)state;
    struct witness w =
        read_line("ARC-Authentication-Results", " i=2; mx.example.org; arc=pass (i=1); spf=pass "
                                                "smtp.remote-ip=192.0.2.3");
    assert_int_equal(w.instance, 2);
    assert_text(w.by, "mx.example.org");
    assert_text(w.arc, "pass");
    assert_ip(w.ip, "192.0.2.3");
    w = read_line("ARC-Seal", " i=50; a=rsa-sha256; cv=fail; d=example.org; s=x; b=abc=");
    assert_int_equal(w.instance, 50);
    assert_text(w.result, "fail");
    assert_text(w.host, "example.org");
    w = read_line("ARC-Message-Signature", " i=51; d= example.net ;\r\n\tb=");
    assert_int_equal(w.instance, 0); /* RFC 8617 4.2.1: 1 to 50 */
    assert_text(w.host, "example.net");
}

static void an_originating_address_may_stand_in_brackets(void **state)
{
    (void)state;
    assert_ip(read_line("X-Originating-IP", " [198.51.100.4]").ip, "198.51.100.4");
    assert_ip(read_line("x-originating-ip", " 2001:db8::4").ip, "2001:db8::4");
    assert_ip(read_line("X-Sender-IP", " [IPv6:2001:db8::5]").ip, "2001:db8::5");
    assert_int_equal(read_line("X-Originating-IP", " [198.51.100.444]").ip.family, IP_NONE);
}

static void a_header_gives_its_witnesses_from_the_top(void **state)
{
    (void)state;
    struct str message = STR("Return-Path: <a@example.org>\r\n"
                             "Received: by x; 1 Jan 2020 00:00:00 +0000\r\n"
                             "X-Received: by 2001:db8::1 with SMTP id x1csp2abc;\r\n"
                             " Wed, 1 Jan 2020 00:00:01 +0000\r\n"
                             "Date: Wed, 1 Jan 2020 00:00:02 +0000\r\n"
                             "\r\n"
                             "Date: Thu, 2 Jan 2020 00:00:02 +0000\r\n");
    struct witness w[4];
    assert_int_equal(witnesses_read(message, w, ARRAY_LEN(w)), 3);
    assert_int_equal(w[0].kind, WITNESS_RETURN_PATH);
    assert_int_equal(w[1].kind, WITNESS_X_RECEIVED);
    assert_int_equal(w[1].position, 2);
    assert_int_equal(w[2].date.seconds, 1577836802);
    assert_int_equal(witnesses_read(message, w, 2), 2);
    assert_int_equal(witnesses_read(STR(""), w, 2), 0);
}

static void every_cut_of_a_value_is_read_without_harm(void **state)
{
    (void)state;
    const char *text = " i=2; mx.example.org; spf=pass (a (b <c@d>) \"[1.2.3.4]\" client-ip="
                       "[IPv6:2001:db8::1]) envelope-from=\"x@y\"; d=example.org; <mailto:u@v?s>";
    static const char *const names[] = {"Received-SPF",
                                        "Authentication-Results",
                                        "ARC-Seal",
                                        "ARC-Authentication-Results",
                                        "X-Originating-IP",
                                        "List-Post",
                                        "From",
                                        "Date"};
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        char *copy = malloc(cut + 1); /* its exact size, so that a sanitizer sees a step beyond */
        assert_non_null(copy);
        memcpy(copy, text, cut);
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            struct witness w;
            struct header_field field = {.name = str_from_cstr(names[i]),
                                         .value = str_from(copy, cut)};
            assert_true(witness_read(&field, 0, &w));
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_that_says_nothing_of_the_way_is_no_witness),
        cmocka_unit_test(hosts_are_found_in_addresses),
        cmocka_unit_test(received_spf_tells_client_sender_and_receiver),
        cmocka_unit_test(authentication_results_tell_who_testifies_and_the_address),
        cmocka_unit_test(an_arc_set_tells_its_instance),
        cmocka_unit_test(an_originating_address_may_stand_in_brackets),
        cmocka_unit_test(a_header_gives_its_witnesses_from_the_top),
        cmocka_unit_test(every_cut_of_a_value_is_read_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
