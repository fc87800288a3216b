#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "core/base/crc32c.h"
#include "core/base/encode.h"
#include "core/base/utf8.h"

/* RFC 3720 appendix B.4, and the check value of the catalogues. */
static void the_crc_is_castagnolis(void **state)
{
    (void)state;
    char bytes[32] = {0};
    assert_int_equal(crc32c(0, STR("123456789")), 0xe3069283);
    assert_int_equal(crc32c(0, str_from(bytes, 32)), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c(0, str_from(bytes, 32)), 0x62a8ab43);
    for (int i = 0; i < 32; i++) {
        bytes[i] = (char)i;
    }
    assert_int_equal(crc32c(0, str_from(bytes, 32)), 0x46dd794e);
    assert_int_equal(crc32c(0, STR("")), 0);
}

static void the_crc_of_parts_is_the_crc_of_the_whole(void **state)
{
    (void)state;
    struct str text = STR("The quick brown fox jumps over the lazy dog, and again and again.");
    uint32_t whole = crc32c(7, text);
    for (size_t cut = 0; cut <= text.len; cut++) {
        assert_int_equal(crc32c(crc32c(7, str_head(text, cut)), str_tail(text, cut)), whole);
    }
    assert_true(crc32c(8, text) != whole);
}

struct pair {
    struct str plain, coded;
};

static void base64_is_as_the_rfc_has_it(void **state)
{
    (void)state;
    /* RFC 4648 section 10 */
    static const struct pair pairs[] = {
        {STR_INIT(""), STR_INIT("")},
        {STR_INIT("f"), STR_INIT("Zg==")},
        {STR_INIT("fo"), STR_INIT("Zm8=")},
        {STR_INIT("foo"), STR_INIT("Zm9v")},
        {STR_INIT("foob"), STR_INIT("Zm9vYg==")},
        {STR_INIT("fooba"), STR_INIT("Zm9vYmE=")},
        {STR_INIT("foobar"), STR_INIT("Zm9vYmFy")},
        {STR_INIT("\xff\xef\xbe"), STR_INIT("/+++")},
    };
    static const struct str bad[] = {STR_INIT("Zg"),      STR_INIT("Zg="),   STR_INIT("Z==="),
                                     STR_INIT("=Zg="),    STR_INIT("Zm9v "), STR_INIT("Zm9v\r\n"),
                                     STR_INIT("Z-9v"),    STR_INIT("Zh=="), /* bits left over */
                                     STR_INIT("Zg==Zg==")};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct buf coded = {0}, plain = {0};
        base64_encode(&coded, pairs[i].plain);
        assert_true(str_eq(buf_str(&coded), pairs[i].coded));
        assert_true(base64_decode(&plain, pairs[i].coded));
        assert_true(str_eq(buf_str(&plain), pairs[i].plain));
        buf_done(&coded);
        buf_done(&plain);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf plain = {0};
        if (base64_decode(&plain, bad[i])) {
            fail_msg("took \"%.*s\"", STR_ARG(bad[i]));
        }
        buf_done(&plain);
    }
}

static void xtext_says_every_octet_and_comes_back(void **state)
{
    (void)state;
    struct buf all = {0}, coded = {0}, back = {0};
    for (int c = 0; c < 256; c++) {
        buf_add_char(&all, (char)c);
    }
    xtext_encode(&coded, buf_str(&all));
    for (size_t i = 0; i < coded.len; i++) {
        assert_true(coded.ptr[i] > ' ' && coded.ptr[i] < 0x7f && coded.ptr[i] != '=');
    }
    assert_true(xtext_decode(&back, buf_str(&coded)));
    assert_true(str_eq(buf_str(&back), buf_str(&all)));
    static const struct str bad[] = {STR_INIT("+"),   STR_INIT("+4"),  STR_INIT("+4g"),
                                     STR_INIT("+2b"), STR_INIT("a=b"), STR_INIT("a b"),
                                     STR_INIT("\x80")};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        buf_clear(&back);
        if (xtext_decode(&back, bad[i])) {
            fail_msg("took \"%.*s\"", STR_ARG(bad[i]));
        }
    }
    buf_clear(&coded);
    hex_encode(&coded, STR("\x00\xff\x1a"));
    assert_true(str_eq(buf_str(&coded), STR("00ff1a")));
    buf_done(&all);
    buf_done(&coded);
    buf_done(&back);
}

/* Every sequence of one to three octets, beside a plain reading of RFC 3629 section 4. */
static size_t as_the_rfc_says(const unsigned char *b, size_t n)
{
    if (n >= 2 && b[0] >= 0xc2 && b[0] <= 0xdf && (b[1] & 0xc0) == 0x80) {
        return 2;
    }
    if (n >= 3 && (b[1] & 0xc0) == 0x80 && (b[2] & 0xc0) == 0x80) {
        bool low = b[0] == 0xe0 && b[1] >= 0xa0;
        bool high = b[0] == 0xed && b[1] <= 0x9f;
        bool other = b[0] >= 0xe1 && b[0] <= 0xef && b[0] != 0xed;
        return low || high || other ? 3 : 0;
    }
    return 0;
}

static void utf8_is_as_the_rfc_has_it(void **state)
{
    (void)state;
    for (uint32_t v = 0; v < 1U << 24; v += (v & 0xff) == 0xff ? 1 : 3) {
        unsigned char b[3] = {(unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v};
        size_t found = utf8_beyond_ascii(str_from((const char *)b, 3));
        if (b[0] < 0xf0) {
            assert_int_equal(found, as_the_rfc_says(b, 3));
        } else {
            assert_int_equal(found, 0);
        }
    }
    assert_int_equal(utf8_beyond_ascii(STR("\xf0\x90\x80\x80")), 4);
    assert_int_equal(utf8_beyond_ascii(STR("\xf4\x8f\xbf\xbf")), 4);
    assert_int_equal(utf8_beyond_ascii(STR("\xf4\x90\x80\x80")), 0); /* beyond U+10FFFF */
    assert_int_equal(utf8_beyond_ascii(STR("\xf0\x8f\x80\x80")), 0); /* overlong */
    assert_int_equal(utf8_beyond_ascii(STR("")), 0);
    assert_true(utf8_valid(STR("a\xc3\xa9z")) && utf8_valid(STR("")));
    assert_false(utf8_valid(STR("a\xc3")) || utf8_valid(STR("\xc0\xaf")));
    assert_true(str_has_high_octet(STR("a\x80")) && !str_has_high_octet(STR("a\x7f")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_crc_is_castagnolis),
        cmocka_unit_test(the_crc_of_parts_is_the_crc_of_the_whole),
        cmocka_unit_test(base64_is_as_the_rfc_has_it),
        cmocka_unit_test(xtext_says_every_octet_and_comes_back),
        cmocka_unit_test(utf8_is_as_the_rfc_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
