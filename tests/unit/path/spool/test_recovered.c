#include "desk.h"

#include "path/spool/recovered.h"

enum { KINDS = 6 };

/* One message's records as compaction and merging leave them: whatever the order in which they are
 * shown, the same comes out. */
static void show(struct recovered_set *set, unsigned kind, bool finish)
{
    struct record r = {.id = 7, .born = 1};
    struct location at = {0, 4096 + kind * 512, 100};
    static const uint32_t first[] = {0, 0, 1, 2, 1, 3};
    static const uint32_t last[] = {0, 0, 1, 2, 2, 3};
    static const char *const outcomes[] = {"", "", "a", "b", "ab", "c"};
    r.type = kind < 2 ? RECORD_MESSAGE : RECORD_OUTCOME;
    r.envelope = kind < 2 ? STR("envelope") : STR("");
    r.first = first[kind];
    r.last = last[kind];
    r.outcomes = str_from_cstr(outcomes[kind]);
    assert_true(recovered_show(set, &r, kind, at));
    if (finish) {
        r.type = RECORD_REMOVE;
        assert_true(recovered_show(set, &r, 9, at));
    }
}

static void check(struct recovered_set *set)
{
    struct buf story = {0};
    struct recovered *m = recovered_find(set, 7);
    assert_non_null(m);
    assert_true(recovered_counts(m));
    assert_int_equal(m->generation, 1); /* the later of the two message records */
    recovered_story(m, &story);
    assert_str(buf_str(&story), STR("abc"));
    buf_done(&story);
}

static void records_add_up_to_the_same_in_any_order(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 720; order++) {
        struct recovered_set set = {0};
        unsigned left[KINDS] = {0, 1, 2, 3, 4, 5};
        unsigned rest = order;
        for (unsigned n = KINDS; n > 0; n--) {
            unsigned pick = rest % n;
            rest /= n;
            show(&set, left[pick], false);
            left[pick] = left[n - 1];
        }
        check(&set);
        recovered_done(&set);
    }
}

static void a_finished_message_stays_so_wherever_its_remove_record_is_met(void **state)
{
    (void)state;
    for (unsigned at = 0; at < KINDS; at++) {
        struct recovered_set set = {0};
        size_t count = 9;
        for (unsigned kind = 0; kind < KINDS; kind++) {
            show(&set, kind, kind == at);
        }
        struct recovered **all = recovered_sorted(&set, &count);
        assert_non_null(all);
        assert_int_equal(count, 0);
        free(all);
        recovered_done(&set);
    }
}

static void outcomes_without_a_message_are_no_message(void **state)
{
    (void)state;
    struct recovered_set set = {0};
    size_t count = 9;
    show(&set, 3, false);
    struct recovered **all = recovered_sorted(&set, &count);
    assert_non_null(all);
    assert_int_equal(count, 0);
    free(all);
    recovered_done(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_add_up_to_the_same_in_any_order),
        cmocka_unit_test(a_finished_message_stays_so_wherever_its_remove_record_is_met),
        cmocka_unit_test(outcomes_without_a_message_are_no_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
