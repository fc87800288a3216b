#include "path/queue/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct envelope_rcpt rcpts[] = {{STR_INIT("a@x.test"), STR_INIT("rfc822;A@x"), 0},
                                       {STR_INIT("b@x.test"), {NULL, 0}, NOTIFY_SUCCESS}};
static const struct envelope envelope = {
    .reverse_path = STR_INIT("me@y.test"), .rcpts = rcpts, .rcpt_count = 2};

static struct state begin(struct arena *arena)
{
    struct state s;
    assert_true(state_init(&s, arena, &envelope, (struct hash_seed){1, 2}));
    return s;
}

static void apply(struct state *s, uint32_t rcpt, enum outcome_kind kind)
{
    struct outcome o = {.rcpt = rcpt, .kind = kind, .status = {4, 2, 1}, .reply_code = 451};
    assert_true(state_apply(s, &o));
}

static void held_and_released_and_done(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct state s = begin(&arena);
    assert_int_equal(s.pending, 2);
    apply(&s, OUTCOME_ALL_RCPTS, OUTCOME_HELD);
    assert_int_equal(s.pending, 0);
    assert_int_equal(s.held, 2);
    apply(&s, 0, OUTCOME_RELEASED);
    assert_int_equal(s.pending, 1);
    apply(&s, 0, OUTCOME_DELIVERED);
    apply(&s, 0, OUTCOME_FAILED); /* it is over */
    assert_int_equal(state_rcpt(&s, 0)->last->kind, OUTCOME_DELIVERED);
    apply(&s, OUTCOME_ALL_RCPTS, OUTCOME_REMOVED);
    assert_int_equal(state_rcpt(&s, 0)->last->kind, OUTCOME_DELIVERED);
    assert_int_equal(state_rcpt(&s, 1)->last->kind, OUTCOME_REMOVED);
    assert_int_equal(s.pending + s.held, 0);
    apply(&s, 77, OUTCOME_FAILED); /* nobody */
    arena_done(&arena);
}

static void attempts_are_counted_by_whose_trouble_it_was(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct state s = begin(&arena);
    struct outcome site = {.kind = OUTCOME_DEFERRED, .status = {4, 4, 1}, .site = STR("smtp:m:25")};
    struct outcome local = {.kind = OUTCOME_DEFERRED, .status = {4, 2, 2}, .site = STR("maildir")};
    assert_true(state_apply(&s, &site) && state_apply(&s, &site));
    assert_int_equal(state_rcpt(&s, 0)->site_failures, 2);
    assert_int_equal(state_rcpt(&s, 0)->deferrals, 0);
    assert_true(state_apply(&s, &local));
    assert_int_equal(state_rcpt(&s, 0)->site_failures, 0);
    assert_int_equal(state_rcpt(&s, 0)->deferrals, 1);
    assert_int_equal(state_rcpt(&s, 0)->attempts, 3);
    site.reply_code = 451;
    assert_false(outcome_is_site_trouble(&site));
    site.reply_code = 0;
    assert_true(outcome_is_site_trouble(&site));
    site.status.detail = 7; /* the message's own time was over */
    assert_false(outcome_is_site_trouble(&site));
    arena_done(&arena);
}

static void members_inherit_as_rfc_3461_says(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct state s = begin(&arena);
    struct outcome_child one[] = {{STR_INIT("c@x.test"), {NULL, 0}}};
    struct outcome_child two[] = {{STR_INIT("d@x.test"), {NULL, 0}},
                                  {STR_INIT("e@x.test"), STR_INIT("owner@x.test")},
                                  {STR_INIT("f@x.test"), STR_INIT("other@x.test")}};
    struct outcome o = {.kind = OUTCOME_EXPANDED, .children = one, .child_count = 1};
    assert_true(state_apply(&s, &o));
    o = (struct outcome){.rcpt = 1, .kind = OUTCOME_EXPANDED, .children = two, .child_count = 3};
    assert_true(state_apply(&s, &o));
    assert_int_equal(s.count, 6);
    assert_true(str_eq(state_rcpt(&s, 2)->origin->orcpt, STR("rfc822;A@x")));
    assert_int_equal(state_rcpt(&s, 3)->notify,
                     NOTIFY_NEVER); /* it asked for nothing but success */
    assert_true(str_eq(state_rcpt(&s, 3)->origin->sender, STR("me@y.test")));
    assert_true(str_eq(state_rcpt(&s, 4)->origin->sender, STR("owner@x.test")));
    assert_true(str_eq(state_rcpt(&s, 5)->origin->sender, STR("other@x.test")));
    assert_int_equal(state_rcpt(&s, 4)->notify, 0);
    assert_ptr_equal(state_named(&s, state_rcpt(&s, 2)), state_rcpt(&s, 0));
    assert_ptr_equal(state_named(&s, state_rcpt(&s, 4)), state_rcpt(&s, 4));
    assert_true(state_descends(&s, state_rcpt(&s, 2), STR("a@x.test")));
    assert_false(state_descends(&s, state_rcpt(&s, 2), STR("b@x.test")));
    assert_ptr_equal(state_find(&s, STR("d@x.test")), state_rcpt(&s, 3));
    arena_done(&arena);
}

static void outcomes_read_back_give_the_same_state(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct state s = begin(&arena);
    struct buf bytes = {0};
    struct outcome_child one[] = {{STR_INIT("c@x.test"), {NULL, 0}}};
    struct outcome o = {.kind = OUTCOME_EXPANDED, .children = one, .child_count = 1};
    outcome_encode(&bytes, &o);
    o = (struct outcome){.rcpt = 2, .kind = OUTCOME_DEFERRED, .next = {7}, .text = STR("no")};
    outcome_encode(&bytes, &o);
    assert_true(state_replay(&s, buf_str(&bytes)));
    assert_int_equal(state_rcpt(&s, 2)->attempts, 1);
    assert_int_equal(state_rcpt(&s, 2)->next.us, 7);
    assert_true(str_eq(state_rcpt(&s, 2)->last->text, STR("no")));
    assert_false(state_replay(&s, str_head(buf_str(&bytes), bytes.len - 1)));
    buf_done(&bytes);
    arena_done(&arena);
}

static void of_many_delivered_to_the_first_are_remembered_in_full(void **state)
{
    (void)state;
    static struct envelope_rcpt many[STATE_TOLD_MAX + 3];
    const struct envelope list = {.rcpts = many, .rcpt_count = ARRAY_LEN(many)};
    struct arena arena = {0};
    struct state s;
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        many[i].address = arena_format(&arena, "box%zu@x.test", i);
    }
    many[STATE_TOLD_MAX + 1].notify = NOTIFY_SUCCESS;
    assert_true(state_init(&s, &arena, &list, (struct hash_seed){1, 2}));
    for (uint32_t i = 0; i < STATE_TOLD_MAX + 2; i++) {
        apply(&s, i, OUTCOME_RELAYED);
    }
    apply(&s, STATE_TOLD_MAX + 2, OUTCOME_FAILED);
    assert_int_equal(state_rcpt(&s, STATE_TOLD_MAX - 1)->last->reply_code, 451);
    assert_int_equal(state_rcpt(&s, STATE_TOLD_MAX)->last->reply_code, 0);
    assert_int_equal(state_rcpt(&s, STATE_TOLD_MAX)->last->kind, OUTCOME_RELAYED);
    const struct rcpt *to_tell = state_rcpt(&s, STATE_TOLD_MAX + 1);
    assert_int_equal(to_tell->last->reply_code, 451);
    assert_int_equal(state_rcpt(&s, STATE_TOLD_MAX + 2)->last->reply_code, 451);
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        assert_ptr_equal(state_find(&s, many[i].address), state_rcpt(&s, i));
    }
    assert_null(state_find(&s, STR("nobody@x.test")));
    arena_done(&arena);
}

static void recipients_that_fare_alike_share_what_is_remembered(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct state s = begin(&arena);
    struct outcome down = {.kind = OUTCOME_DEFERRED,
                           .at = {5},
                           .next = {9},
                           .status = {4, 4, 1},
                           .host = STR("mx.x.test"),
                           .site = STR("smtp:mx.x.test:25"),
                           .text = STR("nobody there")};
    assert_true(state_apply(&s, &down));
    down.rcpt = 1;
    assert_ptr_equal(state_alike(&s, &down), state_rcpt(&s, 0)->last);
    assert_true(state_apply(&s, &down));
    assert_ptr_equal(state_rcpt(&s, 1)->last, state_rcpt(&s, 0)->last);
    assert_int_equal(state_rcpt(&s, 1)->attempts, 1);
    struct outcome others[9];
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        others[i] = down;
    }
    others[0].kind = OUTCOME_EXPIRED;
    others[1].at.us++;
    others[2].next.us++;
    others[3].status.detail++;
    others[4].host = STR("mx.y.test");
    others[5].site = STR("smtp:mx.y.test:25");
    others[6].text = STR("nobody home");
    others[7].peer.port = 25;
    others[8].by_unheard = true;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_null(state_alike(&s, &others[i]));
    }
    arena_done(&arena);
}

static void a_recipient_at_rest_in_a_list_takes_56_octets(void **state)
{
    (void)state;
    static struct envelope_rcpt many[1000];
    const struct envelope list = {.rcpts = many, .rcpt_count = ARRAY_LEN(many)};
    struct arena arena = {0};
    struct state s;
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        many[i].address = STR("box@x.test");
    }
    assert_true(state_init(&s, &arena, &list, (struct hash_seed){1, 2}));
    assert_true(arena.used <= 56 * ARRAY_LEN(many) + 128);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_and_released_and_done),
        cmocka_unit_test(attempts_are_counted_by_whose_trouble_it_was),
        cmocka_unit_test(members_inherit_as_rfc_3461_says),
        cmocka_unit_test(outcomes_read_back_give_the_same_state),
        cmocka_unit_test(of_many_delivered_to_the_first_are_remembered_in_full),
        cmocka_unit_test(recipients_that_fare_alike_share_what_is_remembered),
        cmocka_unit_test(a_recipient_at_rest_in_a_list_takes_56_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
