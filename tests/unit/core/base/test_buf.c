#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "core/base/scan.h"

static void what_is_added_stands_there_in_order(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_int_equal(buf_str(&b).len, 0);
    buf_add(&b, STR("ab"));
    buf_add_char(&b, 'c');
    buf_add_u64(&b, 0);
    buf_add_u64(&b, UINT64_MAX);
    buf_add_format(&b, "-%d-%s", -7, "x");
    assert_true(str_eq(buf_str(&b), STR("abc018446744073709551615--7-x")));
    buf_drop(&b, 3);
    assert_true(str_starts(buf_str(&b), STR("01844")));
    buf_drop(&b, 1000);
    assert_int_equal(b.len, 0);
    buf_done(&b);
    assert_null(b.ptr);
}

static void it_grows_and_keeps_what_it_has(void **state)
{
    (void)state;
    struct buf b = {0};
    for (int i = 0; i < 10000; i++) {
        buf_add_char(&b, (char)('a' + i % 26));
    }
    assert_int_equal(b.len, 10000);
    for (size_t i = 0; i < b.len; i++) {
        assert_int_equal(b.ptr[i], (char)('a' + i % 26));
    }
    buf_done(&b);
}

static void a_failure_sticks(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_add(&b, STR("ab"));
    assert_false(buf_reserve(&b, SIZE_MAX - 1));
    assert_true(b.failed);
    buf_add(&b, STR("cd"));
    buf_add_format(&b, "%d", 1);
    assert_true(b.failed);
    buf_clear(&b);
    assert_false(b.failed);
    buf_add(&b, STR("ef"));
    assert_true(str_eq(buf_str(&b), STR("ef")));
    buf_done(&b);
}

static void records_are_read_back_as_written(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_put_u8(&b, 0xfe);
    buf_put_u16(&b, 0x1234);
    buf_put_u32(&b, 0xdeadbeef);
    buf_put_u64(&b, 0x0123456789abcdefULL);
    buf_put_str(&b, STR("a\0b"));
    buf_put_str(&b, STR(""));
    assert_memory_equal(b.ptr, "\xfe\x34\x12\xef\xbe\xad\xde", 7);
    struct scan sc = {.rest = buf_str(&b)};
    assert_int_equal(scan_get_u8(&sc), 0xfe);
    assert_int_equal(scan_get_u16(&sc), 0x1234);
    assert_int_equal(scan_get_u32(&sc), 0xdeadbeef);
    assert_true(scan_get_u64(&sc) == 0x0123456789abcdefULL);
    assert_true(str_eq(scan_get_str(&sc), STR("a\0b")));
    assert_int_equal(scan_get_str(&sc).len, 0);
    assert_true(scan_done(&sc));
    for (size_t cut = 0; cut < b.len; cut++) {
        struct scan part = {.rest = str_head(buf_str(&b), cut)};
        (void)scan_get_u8(&part);
        (void)scan_get_u16(&part);
        (void)scan_get_u32(&part);
        (void)scan_get_u64(&part);
        (void)scan_get_str(&part);
        (void)scan_get_str(&part);
        assert_false(scan_ok(&part));
    }
    buf_done(&b);
}

static void a_lent_array_is_used_first_and_what_outgrows_it_moves_whole(void **state)
{
    (void)state;
    char room[8];
    struct buf b = BUF_IN(room);
    buf_add(&b, STR("1234567"));
    buf_add_char(&b, '8');
    assert_ptr_equal(b.ptr, room);
    buf_add_char(&b, '9');
    assert_ptr_not_equal(b.ptr, room);
    assert_true(str_eq(buf_str(&b), STR("123456789")));
    buf_done(&b);
    b = BUF_IN(room);
    buf_add_format(&b, "%d", 123456789);
    assert_true(str_eq(buf_str(&b), STR("123456789")));
    buf_done(&b);
    b = BUF_IN(room);
    buf_done(&b); /* would free the array */
    assert_null(b.ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_stands_there_in_order),
        cmocka_unit_test(it_grows_and_keeps_what_it_has),
        cmocka_unit_test(a_lent_array_is_used_first_and_what_outgrows_it_moves_whole),
        cmocka_unit_test(a_failure_sticks),
        cmocka_unit_test(records_are_read_back_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
