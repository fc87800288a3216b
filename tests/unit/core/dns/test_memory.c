#include "core/dns/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TYPE_A = 1, TYPE_MX = 15 };
enum { SECOND = 1000000 };

static struct dns_memory memory;

static int begin(void **state)
{
    (void)state;
    dns_memory_init(&memory, (struct hash_seed){1, 2});
    return 0;
}

static int end(void **state)
{
    (void)state;
    dns_memory_done(&memory);
    return 0;
}

static void keep(const char *name, uint16_t type, const char *message, int64_t ttl)
{
    struct dns_kept answer = {str_from_cstr(message), false, ttl};
    dns_memory_keep(&memory, str_from_cstr(name), type, &answer, 0);
}

static void assert_known(const char *name, uint16_t type, int64_t now, const char *message)
{
    struct dns_kept found;
    assert_true(dns_memory_find(&memory, str_from_cstr(name), type, now, &found));
    assert_true(str_eq(found.message, str_from_cstr(message)));
}

static void assert_unknown(const char *name, uint16_t type, int64_t now)
{
    struct dns_kept found;
    assert_false(dns_memory_find(&memory, str_from_cstr(name), type, now, &found));
}

static void an_answer_is_known_by_name_in_any_case_and_by_type(void **state)
{
    (void)state;
    keep("mx.Example.org", TYPE_A, "one", 9);
    keep("mx.example.org", TYPE_MX, "two", 9);
    assert_known("MX.example.ORG", TYPE_A, 0, "one");
    assert_known("mx.example.org", TYPE_MX, 0, "two");
    assert_unknown("mx.example.or", TYPE_A, 0);
    assert_unknown("mx.example.org", 28, 0);
}

static void it_is_forgotten_when_its_time_to_live_is_over(void **state)
{
    (void)state;
    keep("a.example", TYPE_A, "one", 9);
    assert_known("a.example", TYPE_A, 9 * SECOND - 1, "one");
    assert_unknown("a.example", TYPE_A, 9 * SECOND);
    assert_int_equal(memory.octets, 0);
}

static void no_time_to_live_is_believed_for_more_than_a_minute(void **state)
{
    (void)state;
    keep("a.example", TYPE_A, "one", 2147483647);
    assert_known("a.example", TYPE_A, 60 * SECOND - 1, "one");
    assert_unknown("a.example", TYPE_A, 60 * SECOND);
}

static void without_time_to_live_or_too_long_it_is_not_kept(void **state)
{
    (void)state;
    static char large[DNS_MEMORY_MESSAGE_MAX + 2];
    memset(large, 'x', sizeof large - 1);
    keep("a.example", TYPE_A, "one", 0);
    keep("b.example", TYPE_A, "one", -5);
    keep("c.example", TYPE_A, large, 9);
    keep("d.example", TYPE_A, "", 9);
    assert_int_equal(memory.map.count, 0);
    large[DNS_MEMORY_MESSAGE_MAX] = '\0';
    keep("c.example", TYPE_A, large, 9);
    assert_known("c.example", TYPE_A, 0, large);
}

static void a_new_answer_takes_the_place_of_the_old_one(void **state)
{
    (void)state;
    keep("a.example", TYPE_A, "one", 9);
    struct dns_kept secure = {STR("two"), true, 9};
    dns_memory_keep(&memory, STR("A.example"), TYPE_A, &secure, 5 * SECOND);
    struct dns_kept found;
    assert_true(dns_memory_find(&memory, STR("a.example"), TYPE_A, 10 * SECOND, &found));
    assert_true(found.secure);
    assert_true(str_eq(found.message, STR("two")));
    assert_int_equal(memory.map.count, 1);
}

static void memory_is_bounded_and_what_was_wanted_last_stays(void **state)
{
    (void)state;
    static char message[1001];
    memset(message, 'x', sizeof message - 1);
    keep("first.example", TYPE_A, message, 9);
    for (int i = 0; i < 3000; i++) {
        char name[32];
        snprintf(name, sizeof name, "n%d.example", i);
        keep(name, TYPE_A, message, 9);
        assert_true(memory.octets <= DNS_MEMORY_OCTETS_MAX);
        assert_known("first.example", TYPE_A, 0, message);
    }
    assert_unknown("n0.example", TYPE_A, 0);
    assert_known("n2999.example", TYPE_A, 0, message);
    assert_true(memory.octets > DNS_MEMORY_OCTETS_MAX * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_is_known_by_name_in_any_case_and_by_type, begin,
                                        end),
        cmocka_unit_test_setup_teardown(it_is_forgotten_when_its_time_to_live_is_over, begin, end),
        cmocka_unit_test_setup_teardown(no_time_to_live_is_believed_for_more_than_a_minute, begin,
                                        end),
        cmocka_unit_test_setup_teardown(without_time_to_live_or_too_long_it_is_not_kept, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_new_answer_takes_the_place_of_the_old_one, begin, end),
        cmocka_unit_test_setup_teardown(memory_is_bounded_and_what_was_wanted_last_stays, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
