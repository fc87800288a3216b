#include "path/deliver/mbox.h"

#include "local_world.h"

#include "path/deliver/mbox_lock.h"

#define BODY "Subject: x\r\n\r\nFrom here\r\n>From there\r\nbody\r\n"
#define FROM "From s@y.example Tue Nov 24 05:11:52 2026\n"
#define KEPT FROM TOP "Subject: x\n\n>From here\n>>From there\nbody\n\n"
#define BOX "/mail/a"

static void assert_box(struct world *w, const char *text)
{
    assert_text(sim_disk_bytes(&w->disk, BOX), text);
    assert_false(sim_disk_exists(&w->disk, BOX ".lock"));
}

static void the_from_line_is_one_line_whoever_sent_it(void **state)
{
    (void)state;
    static const struct {
        struct str sender;
        const char *line;
    } rows[] = {
        {STR_INIT("a@b.example"), "From a@b.example Thu Jan  1 00:00:01 1970\n"},
        {STR_INIT(""), "From MAILER-DAEMON Thu Jan  1 00:00:01 1970\n"},
        {STR_INIT("\"a b\"@c"), "From \"a_b\"@c Thu Jan  1 00:00:01 1970\n"},
        {STR_INIT("a\r\nFrom x"), "From a__From_x Thu Jan  1 00:00:01 1970\n"},
        {STR_INIT("a\tb\177\0c"), "From a_b__c Thu Jan  1 00:00:01 1970\n"},
        {STR_INIT("\xc3\xbc@b"), "From \xc3\xbc@b Thu Jan  1 00:00:01 1970\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        mbox_from_line(&out, rows[i].sender, (struct instant){1000000});
        assert_text(buf_str(&out), rows[i].line);
        buf_done(&out);
    }
}

static void a_message_is_appended_quoted_with_an_empty_line_behind(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, HOP_MBOX, BOX, STR(BODY));
    world_deliver(&w);
    assert_outcome(&w, OUTCOME_DELIVERED, 2, 0, 0, "kept in the mbox");
    assert_box(&w, KEPT);
    world_deliver(&w);
    struct str both = sim_disk_bytes(&w.disk, BOX);
    assert_true(str_starts(both, STR(KEPT)));
    assert_int_equal(both.len, 2 * strlen(KEPT));
    world_end(&w);
}

static void the_null_reverse_path_is_the_mailer_daemon(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, HOP_MBOX, BOX, STR("x\r\n"));
    w.job.sender = STR("");
    world_deliver(&w);
    assert_box(&w, "From MAILER-DAEMON Tue Nov 24 05:11:52 2026\nReturn-Path: <>\n"
                   "Delivered-To: a@b.example\nReceived: here\nx\n\n");
    world_end(&w);
}

static void a_message_begins_on_a_line_of_its_own_whatever_stands_before(void **state)
{
    (void)state;
    static const struct {
        const char *before, *between;
    } rows[] = {
        {"", ""}, {"x", "\n\n"}, {"\n", ""}, {"x\n", "\n"}, {"x\n\n", ""}, {"\n\n", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world w;
        char want[512];
        world_begin(&w, HOP_MBOX, BOX, STR(BODY));
        world_folder(&w, "/mail");
        sim_disk_put(&w.disk, BOX, str_from_cstr(rows[i].before));
        world_deliver(&w);
        snprintf(want, sizeof want, "%s%s%s", rows[i].before, rows[i].between, KEPT);
        assert_box(&w, want);
        world_end(&w);
    }
}

static void any_call_that_fails_leaves_no_part_and_another_attempt_delivers_one(void **state)
{
    (void)state;
    const int errors[] = {-EIO, -ENOSPC};
    for (size_t e = 0; e < ARRAY_LEN(errors); e++) {
        for (int existing = 0; existing < 2; existing++) {
            for (uint64_t n = 1;; n++) {
                struct world w;
                const char *before = existing ? "before\n\n" : "";
                char want[512];
                world_begin(&w, HOP_MBOX, BOX, STR(BODY));
                if (existing) {
                    world_folder(&w, "/mail");
                    sim_disk_put(&w.disk, BOX, STR("before\n\n"));
                    w.disk.calls = 0;
                }
                w.disk.fail_at = n;
                w.disk.fail_error = errors[e];
                world_deliver(&w);
                bool reached = w.disk.calls >= n;
                snprintf(want, sizeof want, "%s%s", before, KEPT);
                struct str got = sim_disk_bytes(&w.disk, BOX);
                if (!world_delivered(&w)) {
                    assert_int_equal(w.rcpt.outcome.kind, OUTCOME_DEFERRED);
                    assert_true(str_eq(got, str_from_cstr(before)));
                    w.disk.fail_at = 0;
                    w.now += SPAN_S(MBOX_STALE_S + 1).us; /* a lock that could not be removed */
                    world_deliver(&w);
                    got = sim_disk_bytes(&w.disk, BOX);
                    assert_int_equal(got.len, strlen(want));
                } else {
                    assert_true(str_eq(got, str_from_cstr(want)));
                }
                assert_true(world_delivered(&w));
                world_end(&w);
                if (!reached) {
                    assert_true(n > 4);
                    break;
                }
            }
        }
    }
}

static void power_cut_at_any_call_loses_no_delivered_message_nor_the_ones_before(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        for (uint64_t n = 1;; n++) {
            struct world w;
            world_begin(&w, HOP_MBOX, BOX, STR(BODY));
            world_folder(&w, "/mail");
            sim_disk_put(&w.disk, BOX, STR("before\n\n"));
            w.disk.calls = 0;
            w.disk.store.random += seed;
            w.disk.cut_at = n;
            world_deliver(&w);
            bool reached = w.disk.calls >= n;
            bool delivered = world_delivered(&w);
            sim_disk_cut(&w.disk);
            world_restart(&w);
            struct str got = sim_disk_bytes(&w.disk, BOX);
            assert_true(str_starts(got, STR("before\n\n")));
            assert_true(!delivered || str_eq(got, STR("before\n\n" KEPT)));
            w.now += SPAN_S(MBOX_STALE_S + 1).us; /* the dot-lock of the dead may be there */
            world_deliver(&w);
            assert_true(world_delivered(&w));
            world_end(&w);
            if (!reached) {
                break;
            }
        }
    }
}

static void a_disk_that_fills_up_in_the_middle_keeps_no_part(void **state)
{
    (void)state;
    struct world w;
    size_t size = 300000;
    char *body = malloc(size);
    memset(body, 'x', size);
    world_begin(&w, HOP_MBOX, BOX, str_from(body, size));
    world_folder(&w, "/mail");
    sim_disk_put(&w.disk, BOX, STR("before\n\n"));
    w.disk.store.capacity = w.disk.store.used + 100000;
    world_deliver(&w);
    assert_outcome(&w, OUTCOME_DEFERRED, 4, 3, 1, "cannot write /mail/a: the file system is full");
    assert_box(&w, "before\n\n");
    w.disk.store.capacity = UINT64_MAX;
    world_deliver(&w);
    assert_true(world_delivered(&w));
    assert_int_equal(sim_disk_bytes(&w.disk, BOX).len,
                     strlen("before\n\n" FROM TOP) + size + strlen("\n\n"));
    world_end(&w);
    free(body);
}

static void a_mailbox_that_another_has_is_waited_for_and_then_tried_later(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, HOP_MBOX, BOX, STR(BODY));
    world_folder(&w, "/mail");
    sim_disk_put(&w.disk, BOX, STR("before\n\n"));
    struct disk_file *other = world_open(&w, BOX);
    w.opening = (struct disk_op){.done = world_opened};
    w.opened = false;
    w.disk.disk.lock(&w.disk.disk, &w.opening, other);
    while (!w.opened && world_step(&w)) {}
    int64_t began = w.now;
    world_deliver(&w);
    assert_outcome(&w, OUTCOME_DEFERRED, 4, 2, 0, "is locked by another program");
    assert_in_range(w.now - began, SPAN_S(MBOX_WAIT_S).us, SPAN_S(MBOX_WAIT_S + 3).us);
    assert_box(&w, "before\n\n");
    w.disk.disk.close(&w.disk.disk, other);
    world_deliver(&w);
    assert_true(world_delivered(&w));
    world_end(&w);
}

static void a_dot_lock_is_waited_for_and_broken_only_when_it_is_old(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, HOP_MBOX, BOX, STR(BODY));
    world_folder(&w, "/mail");
    sim_disk_put(&w.disk, BOX, STR(""));
    sim_disk_put(&w.disk, BOX ".lock", STR("1"));
    disk_store_file(&w.disk.store, STR(BOX))->changed_us = w.now;
    disk_store_file(&w.disk.store, STR(BOX ".lock"))->changed_us = w.now;
    world_deliver(&w);
    assert_outcome(&w, OUTCOME_DEFERRED, 4, 2, 0, "(its .lock file is there)");
    assert_true(sim_disk_exists(&w.disk, BOX ".lock"));
    assert_text(sim_disk_bytes(&w.disk, BOX), "");
    w.now += SPAN_S(MBOX_STALE_S).us;
    world_deliver(&w);
    assert_true(world_delivered(&w));
    assert_false(sim_disk_exists(&w.disk, BOX ".lock"));
    world_end(&w);
}

static void a_stopping_server_does_not_wait_for_a_lock(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, HOP_MBOX, BOX, STR(BODY));
    world_folder(&w, "/mail");
    sim_disk_put(&w.disk, BOX ".lock", STR("1"));
    disk_store_file(&w.disk.store, STR(BOX ".lock"))->changed_us = w.now;
    w.office.stopping = true;
    world_deliver(&w);
    assert_outcome(&w, OUTCOME_DEFERRED, 4, 3, 2, "was stopped");
    world_end(&w);
}

static void a_folder_in_the_place_of_the_mailbox_is_told(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, HOP_MBOX, BOX, STR(BODY));
    world_folder(&w, BOX);
    world_deliver(&w);
    assert_outcome(&w, OUTCOME_DEFERRED, 4, 3, 0, "it is a folder, not a file");
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_from_line_is_one_line_whoever_sent_it),
        cmocka_unit_test(a_message_is_appended_quoted_with_an_empty_line_behind),
        cmocka_unit_test(the_null_reverse_path_is_the_mailer_daemon),
        cmocka_unit_test(a_message_begins_on_a_line_of_its_own_whatever_stands_before),
        cmocka_unit_test(any_call_that_fails_leaves_no_part_and_another_attempt_delivers_one),
        cmocka_unit_test(power_cut_at_any_call_loses_no_delivered_message_nor_the_ones_before),
        cmocka_unit_test(a_disk_that_fills_up_in_the_middle_keeps_no_part),
        cmocka_unit_test(a_mailbox_that_another_has_is_waited_for_and_then_tried_later),
        cmocka_unit_test(a_dot_lock_is_waited_for_and_broken_only_when_it_is_old),
        cmocka_unit_test(a_stopping_server_does_not_wait_for_a_lock),
        cmocka_unit_test(a_folder_in_the_place_of_the_mailbox_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
