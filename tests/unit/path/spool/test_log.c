#include "desk.h"

static char filler[200000];

static struct str body_of(uint64_t id, size_t size)
{
    static char bytes[200000];
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (char)(id * 31 + i * 7 + i / 251);
    }
    return str_from(bytes, size);
}

static uint64_t found_ids[4096];
static size_t found_count;
static char found_story[65536];
static size_t found_story_len;

static void found(struct spool_log_open *op, const struct spool_found *m)
{
    (void)op;
    found_ids[found_count++] = m->id.value;
    found_story_len = m->outcomes.len;
    if (m->outcomes.len > 0) {
        memcpy(found_story, m->outcomes.ptr, m->outcomes.len);
    }
}

static int reopen(struct desk *k)
{
    desk_close(k);
    sim_disk_restart(&k->disk);
    found_count = 0;
    return desk_open(k, found, false);
}

static void a_message_put_is_got_back_whole_also_after_a_restart(void **state)
{
    (void)state;
    struct desk k;
    struct desk_message m;
    desk_init(&k, 1);
    assert_int_equal(desk_open(&k, NULL, false), 0);
    assert_int_equal(desk_put(&k, 7, STR("envelope"), body_of(7, 5000)), 0);
    assert_int_equal(desk_put(&k, 8, STR(""), STR("")), 0);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(desk_get(&k, 7, &m), 0);
        assert_str(m.get.envelope, STR("envelope"));
        assert_str(m.get.additions, STR("Received: by us\r\n"));
        assert_str(m.get.outcomes, STR(""));
        assert_str(m.body, body_of(7, 5000));
        desk_release(&k, &m);
        assert_int_equal(desk_get(&k, 8, &m), 0);
        assert_int_equal(m.body.len, 0);
        desk_release(&k, &m);
        assert_int_equal(reopen(&k), 0);
        assert_int_equal(found_count, 2);
        assert_int_equal(found_ids[0], 7);
    }
    assert_int_equal(desk_put(&k, 7, STR("again"), STR("x")), -EEXIST);
    assert_int_equal(k.errors, 0);
    desk_done(&k);
}

static void outcomes_stay_in_order_and_are_merged_after_eight_records(void **state)
{
    (void)state;
    struct desk k;
    struct desk_message m;
    char expected[64] = {0};
    desk_init(&k, 2);
    assert_int_equal(desk_open(&k, NULL, false), 0);
    assert_int_equal(desk_put(&k, 9, STR("e"), STR("body")), 0);
    for (size_t i = 0; i < 26; i++) {
        char one = (char)('a' + i);
        expected[i] = one;
        assert_int_equal(desk_mark(&k, 9, str_from(&one, 1), false), 0);
        assert_int_equal(desk_get(&k, 9, &m), 0);
        assert_str(m.get.outcomes, str_from(expected, i + 1));
        desk_release(&k, &m);
        if (i % 7 == 3) {
            assert_int_equal(reopen(&k), 0);
            assert_str(str_from(found_story, found_story_len), str_from(expected, i + 1));
        }
    }
    assert_int_equal(desk_mark(&k, 10, STR("x"), false), -ENOENT);
    desk_done(&k);
}

static void a_finished_message_is_gone_but_for_who_pinned_it(void **state)
{
    (void)state;
    struct desk k;
    struct desk_message m;
    struct desk_message n;
    desk_init(&k, 3);
    assert_int_equal(desk_open(&k, NULL, false), 0);
    assert_int_equal(desk_put(&k, 5, STR("e"), body_of(5, 3000)), 0);
    assert_int_equal(desk_get(&k, 5, &m), 0);
    assert_int_equal(desk_mark(&k, 5, STR(""), true), 0);
    assert_int_equal(desk_mark(&k, 5, STR("late"), false), -ENOENT);
    assert_int_equal(desk_get(&k, 5, &n), -ENOENT);
    arena_done(&n.arena);
    desk_tidy(&k);
    k.disk.disk.read(&k.disk.disk, &m.op, m.get.body.file, m.get.body.offset, m.body);
    desk_run(&k);
    assert_str(m.body, body_of(5, 3000));
    desk_release(&k, &m);
    assert_int_equal(reopen(&k), 0);
    assert_int_equal(found_count, 0);
    desk_done(&k);
}

static void many_at_once_go_in_few_syncs(void **state)
{
    (void)state;
    static struct spool_put puts[200];
    static bool done[200];
    struct desk k;
    desk_init(&k, 4);
    k.options.segment_size = 1024 * 1024;
    assert_int_equal(desk_open(&k, NULL, false), 0);
    desk_tidy(&k);
    uint64_t before = k.disk.syncs;
    struct str body = STR("a short body\r\n");
    for (size_t i = 0; i < ARRAY_LEN(puts); i++) {
        done[i] = false;
        puts[i] = (struct spool_put){.done = desk_put_done,
                                     .id = {i + 1},
                                     .envelope = STR("e"),
                                     .body = {&body, 1},
                                     .body_size = body.len,
                                     .impl = &done[i]};
        spool_put(k.spool, &puts[i]);
    }
    desk_run(&k);
    for (size_t i = 0; i < ARRAY_LEN(puts); i++) {
        assert_true(done[i]);
        assert_int_equal(puts[i].result, 0);
    }
    assert_true(k.disk.syncs - before <= 2);
    desk_done(&k);
}

static void a_body_in_a_file_is_taken_over_and_removed_with_its_message(void **state)
{
    (void)state;
    struct desk k;
    struct desk_message m;
    bool done = false;
    desk_init(&k, 5);
    assert_int_equal(desk_open(&k, NULL, false), 0);
    sim_disk_put(&k.disk, "/spool/incoming/big", body_of(3, 150000));
    struct spool_put op = {.done = desk_put_done,
                           .id = {3},
                           .envelope = STR("e"),
                           .body_file = STR("incoming/big"),
                           .body_size = 150000,
                           .impl = &done};
    spool_put(k.spool, &op);
    desk_run(&k);
    assert_int_equal(op.result, 0);
    sim_disk_put(&k.disk, "/spool/bodies/0000000000009", STR("left by a crash"));
    sim_disk_put(&k.disk, "/spool/incoming/half", STR("left by a crash"));
    assert_int_equal(reopen(&k), 0);
    assert_int_equal(found_count, 1);
    assert_false(sim_disk_exists(&k.disk, "/spool/bodies/0000000000009"));
    assert_false(sim_disk_exists(&k.disk, "/spool/incoming/half"));
    assert_int_equal(desk_get(&k, 3, &m), 0);
    assert_str(m.body, body_of(3, 150000));
    desk_release(&k, &m);
    assert_int_equal(desk_mark(&k, 3, STR(""), true), 0);
    assert_false(sim_disk_exists(&k.disk, "/spool/bodies/0000000000003"));
    desk_done(&k);
}

static void a_missing_body_file_is_damage(void **state)
{
    (void)state;
    struct desk k;
    bool done = false;
    desk_init(&k, 6);
    assert_int_equal(desk_open(&k, NULL, false), 0);
    sim_disk_put(&k.disk, "/spool/incoming/big", body_of(3, 1000));
    struct spool_put op = {.done = desk_put_done,
                           .id = {3},
                           .body_file = STR("incoming/big"),
                           .body_size = 1000,
                           .impl = &done};
    spool_put(k.spool, &op);
    desk_run(&k);
    assert_int_equal(op.result, 0);
    desk_close(&k);
    assert_int_equal(disk_store_name(&k.disk.store, STR("/spool/bodies/0000000000003"), NULL), 0);
    assert_int_equal(desk_open(&k, NULL, false), -EBADMSG);
    assert_true(strstr(k.open.reason, "bodies/0000000000003") != NULL);
    assert_int_equal(desk_open(&k, NULL, true), 0);
    assert_int_equal(k.open.salvaged, 1);
    desk_close(&k);
    assert_int_equal(desk_open(&k, NULL, false), 0); /* salvage has mended it for good */
    desk_done(&k);
}

static void a_second_process_is_kept_out(void **state)
{
    (void)state;
    struct desk k;
    desk_init(&k, 7);
    assert_int_equal(desk_open(&k, NULL, false), 0);
    struct spool *first = k.spool;
    assert_int_equal(desk_open(&k, NULL, false), -EAGAIN);
    assert_true(k.open.reason[0] != '\0');
    k.spool = first;
    desk_done(&k);
}

static uint64_t total_of(struct desk *k, uint64_t *live)
{
    struct spool_usage usage;
    k->spool->ops->usage(k->spool, &usage);
    *live = usage.bytes_live;
    return usage.bytes_total;
}

static void space_stays_within_twice_what_lives_and_the_reserve(void **state)
{
    (void)state;
    struct desk k;
    struct desk_message m;
    desk_init(&k, 8);
    assert_int_equal(desk_open(&k, NULL, false), 0);
    /* Nine of ten are finished; what stays is spread thin over every segment. */
    for (uint64_t id = 1; id <= 600; id++) {
        assert_int_equal(desk_put(&k, id, STR("envelope"), body_of(id, 1500)), 0);
        if (id > 20 && (id - 20) % 10 != 0) {
            assert_int_equal(desk_mark(&k, id - 20, STR(""), true), 0);
        } else if (id > 20) {
            assert_int_equal(desk_mark(&k, id - 20, STR("o"), false), 0);
        }
        if (id % 5 == 0) {
            desk_tidy(&k);
            uint64_t live = 0;
            /* The tail, the reserve, a spare one; and as much as lives. */
            uint64_t total = total_of(&k, &live);
            assert_true(total <= 2 * live + 3 * k.options.segment_size);
        }
    }
    assert_int_equal(reopen(&k), 0);
    assert_int_equal(found_count, 58 + 20);
    for (size_t i = 0; i < found_count; i++) {
        assert_int_equal(desk_get(&k, found_ids[i], &m), 0);
        assert_str(m.body, body_of(found_ids[i], 1500));
        assert_str(m.get.outcomes, found_ids[i] <= 580 ? STR("o") : STR(""));
        desk_release(&k, &m);
    }
    assert_int_equal(k.errors, 0);
    desk_done(&k);
}

static void damage_before_the_tail_is_refused_and_salvage_keeps_the_rest(void **state)
{
    (void)state;
    struct desk k;
    desk_init(&k, 9);
    assert_int_equal(desk_open(&k, NULL, false), 0);
    for (uint64_t id = 1; id <= 20; id++) {
        assert_int_equal(desk_put(&k, id, STR("envelope"), body_of(id, 1000)), 0);
    }
    desk_close(&k);
    bool second = sim_disk_bytes(&k.disk, "/spool/log/00000000").ptr[SEGMENT_START] == 0;
    const char *tail = second ? "/spool/log/00000001" : "/spool/log/00000000";
    sim_disk_flip(&k.disk, tail, SEGMENT_START + 5000, 3);
    found_count = 0;
    assert_int_equal(desk_open(&k, found, false), -EBADMSG);
    assert_true(strstr(k.open.reason, "/spool/log/") != NULL);
    assert_int_equal(found_count, 0);
    assert_int_equal(desk_open(&k, found, true), 0);
    assert_int_equal(k.open.salvaged, 1);
    assert_int_equal(found_count, 19);
    desk_done(&k);
}

static void one_damaged_copy_of_a_header_does_no_harm(void **state)
{
    (void)state;
    for (unsigned copies = 1; copies <= 3; copies++) { /* a bit a copy */
        struct desk k;
        desk_init(&k, 10);
        assert_int_equal(desk_open(&k, NULL, false), 0);
        assert_int_equal(desk_put(&k, 1, STR("envelope"), body_of(1, 1000)), 0);
        desk_close(&k);
        for (unsigned copy = 0; copy < 2; copy++) {
            if (copies >> copy & 1) {
                sim_disk_flip(&k.disk, "/spool/log/00000000", copy * 2048 + 17, 1);
                sim_disk_flip(&k.disk, "/spool/log/00000001", copy * 2048 + 17, 1);
            }
        }
        assert_int_equal(desk_open(&k, NULL, false), copies == 3 ? -EBADMSG : 0);
        desk_done(&k);
    }
}

static void a_full_disk_refuses_mail_and_still_takes_outcomes(void **state)
{
    (void)state;
    struct desk k;
    desk_init(&k, 11);
    k.disk.store.capacity = 6 * 64 * 1024 + 2 * 4096; /* the roll besides */
    assert_int_equal(desk_open(&k, NULL, false), 0);
    uint64_t id = 0;
    int result = 0;
    while (result == 0) {
        id++;
        result = desk_put(&k, id, STR("envelope"), body_of(id, 3000));
        desk_tidy(&k);
        assert_true(id < 1000);
    }
    assert_int_equal(result, -ENOSPC);
    uint64_t last = id - 1;
    assert_true(last > 3 * 15);
    assert_int_equal(desk_put(&k, id, STR("envelope"), body_of(id, 3000)), -ENOSPC);
    for (uint64_t n = 1; n <= last; n++) {
        assert_int_equal(desk_mark(&k, n, STR("an outcome of some length, as they are"), false), 0);
    }
    for (uint64_t n = 1; n <= last; n += 2) {
        assert_int_equal(desk_mark(&k, n, STR(""), true), 0);
    }
    desk_tidy(&k);
    assert_int_equal(desk_put(&k, 5000, STR("envelope"), body_of(5000, 3000)), 0);
    assert_int_equal(reopen(&k), 0);
    assert_int_equal(found_count, last / 2 + 1);
    desk_done(&k);
}

static void a_record_too_large_for_a_segment_is_refused(void **state)
{
    (void)state;
    struct desk k;
    desk_init(&k, 12);
    assert_int_equal(desk_open(&k, NULL, false), 0);
    size_t most = 64 * 1024 - SEGMENT_START - 64 - 16 - 1 - 17;
    assert_int_equal(desk_put(&k, 1, STR("e"), body_of(1, most)), 0);
    assert_int_equal(desk_put(&k, 2, STR("e"), body_of(2, most + 1)), -EFBIG);
    assert_int_equal(desk_put(&k, 3, STR("e"), str_from(filler, 100)), 0);
    desk_done(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_put_is_got_back_whole_also_after_a_restart),
        cmocka_unit_test(outcomes_stay_in_order_and_are_merged_after_eight_records),
        cmocka_unit_test(a_finished_message_is_gone_but_for_who_pinned_it),
        cmocka_unit_test(many_at_once_go_in_few_syncs),
        cmocka_unit_test(a_body_in_a_file_is_taken_over_and_removed_with_its_message),
        cmocka_unit_test(a_missing_body_file_is_damage),
        cmocka_unit_test(a_second_process_is_kept_out),
        cmocka_unit_test(space_stays_within_twice_what_lives_and_the_reserve),
        cmocka_unit_test(damage_before_the_tail_is_refused_and_salvage_keeps_the_rest),
        cmocka_unit_test(one_damaged_copy_of_a_header_does_no_harm),
        cmocka_unit_test(a_full_disk_refuses_mail_and_still_takes_outcomes),
        cmocka_unit_test(a_record_too_large_for_a_segment_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
