#include "core/mail/allowance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define MESSAGE ((struct allowance){{[ALLOWANCE_MESSAGES] = 1}})
#define RECIPIENT ((struct allowance){{[ALLOWANCE_RECIPIENTS] = 1}})
#define BOTH ((struct allowance){{1, 1}})
#define NOTHING ((struct allowance){0})

static struct allowance_book book;
static int64_t now;
static const struct instant wall = {INT64_C(1700000000000000)};

static int begin(void **state)
{
    (void)state;
    now = 1000 * SECOND;
    allowance_book_init(&book, (struct hash_seed){1, 2});
    return 0;
}

static int finish(void **state)
{
    (void)state;
    allowance_book_done(&book);
    return 0;
}

static struct allowance_answer ask(const char *user, struct allowance amount)
{
    const struct allowance_ask asked = {
        .user = str_from_cstr(user), .limits = {{3, 5}}, .amount = amount};
    return allowance_reserve(&book, &asked, now);
}

static bool granted(const char *user, struct allowance amount)
{
    return ask(user, amount).verdict == ALLOWANCE_GRANTED;
}

static void settle(const char *user, struct allowance reserved, struct allowance taken)
{
    allowance_settle(&book, str_from_cstr(user), reserved, taken, now);
}

static uint32_t used(const char *user, enum allowance_kind kind)
{
    struct arena arena = {0};
    size_t count;
    struct allowance_state *states =
        allowance_list(&book, str_from_cstr(user), &arena, now, &count);
    uint32_t units = count == 1 ? states[0].used.of[kind] : 0;
    arena_done(&arena);
    return units;
}

static void what_is_reserved_is_not_granted_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(granted("anna", MESSAGE));
    }
    struct allowance_answer answer = ask("anna", MESSAGE);
    assert_int_equal(answer.verdict, ALLOWANCE_USED_UP);
    assert_int_equal(answer.kind, ALLOWANCE_MESSAGES);
    assert_int_equal(answer.wait.us, HOUR / 3);
    assert_true(granted("ben", MESSAGE));
    settle("anna", MESSAGE, NOTHING);
    assert_true(granted("anna", MESSAGE));
    assert_int_equal(used("anna", ALLOWANCE_MESSAGES), 0);
}

/* A reservation that drained away and was then given back would be credit out of nothing. */
static void reservations_do_not_drain(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(granted("anna", MESSAGE));
    }
    now += 10 * HOUR;
    assert_false(granted("anna", MESSAGE));
    for (unsigned i = 0; i < 3; i++) {
        settle("anna", MESSAGE, MESSAGE);
    }
    assert_int_equal(used("anna", ALLOWANCE_MESSAGES), 3);
    assert_false(granted("anna", MESSAGE));
}

static void all_of_an_amount_or_nothing_is_reserved(void **state)
{
    (void)state;
    assert_true(granted("anna", (struct allowance){{1, 3}}));
    struct allowance_answer answer = ask("anna", (struct allowance){{1, 3}});
    assert_int_equal(answer.verdict, ALLOWANCE_USED_UP);
    assert_int_equal(answer.kind, ALLOWANCE_RECIPIENTS);
    assert_true(granted("anna", (struct allowance){{2, 2}}));
}

static void a_user_cannot_pass_for_another_by_case_or_blanks(void **state)
{
    (void)state;
    settle("anna", NOTHING, NOTHING);
    for (unsigned i = 0; i < 3; i++) {
        static const char *const names[] = {"anna", " ANNA", "an na\t"};
        assert_true(granted(names[i], MESSAGE));
    }
    assert_false(granted("Anna ", MESSAGE));
    assert_true(granted("annab", MESSAGE));
}

static void a_user_is_forgotten_when_all_has_drained(void **state)
{
    (void)state;
    assert_true(granted("anna", BOTH));
    settle("anna", BOTH, BOTH);
    assert_int_equal(book.map.count, 1);
    assert_true(granted("ben", BOTH));
    settle("ben", BOTH, NOTHING);
    assert_int_equal(book.map.count, 1);
    now += HOUR / 3;
    struct buf text = {0};
    allowance_save(&book, &text, now, wall);
    assert_int_equal(book.map.count, 0);
    buf_done(&text);
}

static void until_a_limit_changes_it_drains_by_what_it_was(void **state)
{
    (void)state;
    const struct allowance_ask more = {.user = STR("anna"), .limits = {{3000, 5}}};
    for (unsigned i = 0; i < 3; i++) {
        assert_true(granted("anna", MESSAGE));
        settle("anna", MESSAGE, MESSAGE);
    }
    now += HOUR / 3;
    assert_int_equal(allowance_reserve(&book, &more, now).verdict, ALLOWANCE_GRANTED);
    assert_int_equal(used("anna", ALLOWANCE_MESSAGES), 2);
    now += HOUR / 3000;
    assert_int_equal(used("anna", ALLOWANCE_MESSAGES), 1);
}

static void a_refusal_is_news_once_an_hour(void **state)
{
    (void)state;
    struct allowance all = {{3, 0}};
    assert_true(granted("anna", all));
    assert_true(ask("anna", MESSAGE).news);
    assert_false(ask("anna", MESSAGE).news);
    now += HOUR - 1;
    assert_false(ask("anna", MESSAGE).news);
    now += 1;
    assert_true(ask("anna", MESSAGE).news);
}

static void no_more_users_are_held_than_the_bound(void **state)
{
    (void)state;
    char name[16];
    for (unsigned i = 0; i < ALLOWANCE_USERS_MAX; i++) {
        (void)snprintf(name, sizeof name, "u%u", i);
        assert_true(granted(name, RECIPIENT));
        settle(name, RECIPIENT, RECIPIENT);
    }
    assert_int_equal(ask("one-more", MESSAGE).verdict, ALLOWANCE_NO_ROOM);
    assert_true(granted("u7", RECIPIENT));
    now += HOUR / 5;
    assert_true(granted("one-more", MESSAGE));
    assert_int_equal(book.map.count, 2);
}

static void a_reset_forgets_what_was_used_and_not_what_is_under_way(void **state)
{
    (void)state;
    assert_true(granted("anna", (struct allowance){{2, 2}}));
    settle("anna", (struct allowance){{2, 2}}, (struct allowance){{2, 2}});
    assert_true(granted("anna", MESSAGE));
    assert_false(granted("anna", MESSAGE));
    assert_true(allowance_reset(&book, STR("Anna")));
    assert_false(allowance_reset(&book, STR("Anna")));
    assert_false(allowance_reset(&book, STR("nobody")));
    assert_true(granted("anna", MESSAGE) && granted("anna", MESSAGE));
    assert_false(granted("anna", MESSAGE));
}

static void save_and_load(struct instant later, int64_t booted)
{
    struct buf text = {0};
    allowance_save(&book, &text, now, wall);
    assert_false(book.changed);
    allowance_book_done(&book);
    allowance_book_init(&book, (struct hash_seed){3, 4});
    now = booted;
    assert_true(allowance_load(&book, buf_str(&text), now, later));
    buf_done(&text);
}

static void use_up(const char *user)
{
    struct allowance all = {{3, 5}};
    assert_true(granted(user, all));
    settle(user, all, all);
    assert_true(book.changed);
}

static void a_restart_forgets_reservations_and_nothing_else(void **state)
{
    (void)state;
    use_up("anna");
    use_up("a b+=\n\xc3\xa9");
    assert_true(granted("ben", MESSAGE));
    save_and_load(wall, 7);
    assert_int_equal(book.map.count, 2);
    assert_int_equal(used("anna", ALLOWANCE_MESSAGES), 3);
    assert_int_equal(used("anna", ALLOWANCE_RECIPIENTS), 5);
    assert_int_equal(used("ab+=\n\xc3\xa9", ALLOWANCE_MESSAGES), 3);
    assert_false(granted("anna", MESSAGE));
}

static void time_passes_while_nothing_runs(void **state)
{
    (void)state;
    use_up("anna");
    save_and_load(instant_add(wall, (struct span){HOUR / 3}), 7);
    assert_int_equal(used("anna", ALLOWANCE_MESSAGES), 2);
    save_and_load(instant_add(wall, SPAN_D(400)), 7);
    assert_int_equal(used("anna", ALLOWANCE_MESSAGES), 0);
}

static void a_clock_set_back_between_two_runs_drains_nothing(void **state)
{
    (void)state;
    use_up("anna");
    save_and_load((struct instant){5}, 7);
    assert_int_equal(used("anna", ALLOWANCE_MESSAGES), 3);
    assert_int_equal(ask("anna", MESSAGE).wait.us, HOUR / 3);
}

static void nothing_is_taken_of_a_file_that_is_damaged_anywhere(void **state)
{
    (void)state;
    struct buf text = {0};
    use_up("anna");
    use_up("ben");
    allowance_save(&book, &text, now, wall);
    struct allowance_book fresh;
    allowance_book_init(&fresh, (struct hash_seed){5, 6});
    for (size_t i = 0; i < text.len; i++) {
        assert_false(allowance_load(&fresh, str_head(buf_str(&text), i), now, wall));
        text.ptr[i] ^= 1;
        assert_false(allowance_load(&fresh, buf_str(&text), now, wall));
        text.ptr[i] ^= 1;
        assert_int_equal(fresh.map.count, 0);
    }
    assert_true(allowance_load(&fresh, buf_str(&text), now, wall));
    allowance_book_done(&fresh);
    buf_done(&text);
}

static void users_without_limits_are_not_kept(void **state)
{
    (void)state;
    const struct allowance_ask free = {.user = STR("anna"), .amount = {{1, 1}}};
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(allowance_reserve(&book, &free, now).verdict, ALLOWANCE_GRANTED);
    }
    for (unsigned i = 0; i < 100; i++) {
        settle("anna", BOTH, BOTH);
    }
    assert_int_equal(book.map.count, 0);
    assert_false(book.changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_reserved_is_not_granted_again, begin, finish),
        cmocka_unit_test_setup_teardown(reservations_do_not_drain, begin, finish),
        cmocka_unit_test_setup_teardown(all_of_an_amount_or_nothing_is_reserved, begin, finish),
        cmocka_unit_test_setup_teardown(a_user_cannot_pass_for_another_by_case_or_blanks, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(a_user_is_forgotten_when_all_has_drained, begin, finish),
        cmocka_unit_test_setup_teardown(until_a_limit_changes_it_drains_by_what_it_was, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(a_refusal_is_news_once_an_hour, begin, finish),
        cmocka_unit_test_setup_teardown(no_more_users_are_held_than_the_bound, begin, finish),
        cmocka_unit_test_setup_teardown(a_reset_forgets_what_was_used_and_not_what_is_under_way,
                                        begin, finish),
        cmocka_unit_test_setup_teardown(a_restart_forgets_reservations_and_nothing_else, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(time_passes_while_nothing_runs, begin, finish),
        cmocka_unit_test_setup_teardown(a_clock_set_back_between_two_runs_drains_nothing, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(nothing_is_taken_of_a_file_that_is_damaged_anywhere, begin,
                                        finish),
        cmocka_unit_test_setup_teardown(users_without_limits_are_not_kept, begin, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
