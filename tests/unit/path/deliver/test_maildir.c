#include "path/deliver/maildir.h"

#include "local_world.h"

#define BODY "Subject: x\r\n\r\nbody\r\n"
#define KEPT TOP "Subject: x\n\nbody\n"

/* How many files are in a folder, and the last one's path. */
static size_t count_in(struct world *w, const char *folder, const char **path)
{
    size_t count = 0;
    LIST_EACH (node, &w->disk.store.names) {
        struct stored_name *n = CONTAINER_OF(node, struct stored_name, link);
        if (n->now && !n->now->is_folder && strncmp(n->path, folder, strlen(folder)) == 0) {
            *path = n->path;
            count++;
        }
    }
    return count;
}

static void assert_kept(struct world *w, size_t count)
{
    const char *path = NULL;
    assert_int_equal(count_in(w, "/mail/a/new/", &path), count);
    if (count > 0) {
        assert_text(sim_disk_bytes(&w->disk, path), KEPT);
    }
}

static void a_message_is_in_new_and_nothing_in_tmp(void **state)
{
    (void)state;
    struct world w;
    const char *path = NULL;
    world_begin(&w, HOP_MAILDIR, "/mail/a/", STR(BODY));
    world_deliver(&w);
    assert_outcome(&w, OUTCOME_DELIVERED, 2, 0, 0, "kept in the Maildir as new/17");
    assert_kept(&w, 1);
    assert_int_equal(count_in(&w, "/mail/a/tmp/", &path), 0);
    assert_true(sim_disk_exists(&w.disk, "/mail/a/cur"));
    world_deliver(&w);
    assert_kept(&w, 2);
    world_end(&w);
}

static void the_name_holds_time_id_and_size(void **state)
{
    (void)state;
    struct world w;
    const char *path = NULL;
    world_begin(&w, HOP_MAILDIR, "/mail/a", STR(BODY));
    world_deliver(&w);
    assert_int_equal(count_in(&w, "/mail/a/new/", &path), 1);
    struct queue_id_text id = queue_id_text(w.envelope.id);
    struct str name = str_from_cstr(path);
    assert_true(str_starts(name, STR("/mail/a/new/1795497112.M")));
    assert_int_not_equal(str_find_str(name, queue_id_str(&id)), STR_NONE);
    char size[64];
    snprintf(size, sizeof size, ".mx.example,S=%zu", strlen(KEPT));
    assert_true(str_ends(name, str_from_cstr(size)));
    world_end(&w);
}

static void a_name_is_of_the_specification_s_form(void **state)
{
    (void)state;
    char longest[400];
    memset(longest, 'x', sizeof longest);
    const struct {
        struct str host;
        const char *name;
    } rows[] = {
        {STR("mx.example"), "1.M000002PidQ3R0000000000000004.mx.example"},
        {STR("a/b:c"), "1.M000002PidQ3R0000000000000004.a\\057b\\072c"},
        {str_from(longest, sizeof longest), NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        maildir_name_format(&out, &(struct maildir_name){.now = {1000002},
                                                         .id = STR("id"),
                                                         .count = 3,
                                                         .entropy = 4,
                                                         .hostname = rows[i].host});
        if (rows[i].name) {
            assert_text(buf_str(&out), rows[i].name);
        }
        assert_true(out.len <= 230);
        buf_done(&out);
    }
}

static void any_call_that_fails_leaves_no_file_and_another_attempt_delivers_one(void **state)
{
    (void)state;
    const int errors[] = {-EIO, -ENOSPC, -EACCES};
    for (size_t e = 0; e < ARRAY_LEN(errors); e++) {
        for (int existing = 0; existing < 2; existing++) {
            for (uint64_t n = 1;; n++) {
                struct world w;
                const char *path = NULL;
                world_begin(&w, HOP_MAILDIR, "/mail/a/", STR(BODY));
                if (existing) {
                    world_deliver(&w);
                    assert_int_equal(count_in(&w, "/mail/a/new/", &path), 1);
                    (void)disk_store_name(&w.disk.store, str_from_cstr(path), NULL);
                    w.disk.calls = 0;
                }
                w.disk.fail_at = n;
                w.disk.fail_error = errors[e];
                world_deliver(&w);
                bool reached = w.disk.calls >= n;
                assert_kept(&w, world_delivered(&w) ? 1 : 0);
                assert_int_equal(count_in(&w, "/mail/a/tmp/", &path), 0);
                if (!world_delivered(&w)) {
                    assert_int_equal(w.rcpt.outcome.kind, OUTCOME_DEFERRED);
                    w.disk.fail_at = 0;
                    world_deliver(&w);
                    assert_kept(&w, 1);
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

static void a_sync_that_fails_is_no_delivery(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, HOP_MAILDIR, "/mail/a/", STR(BODY));
    w.disk.sync_fails_at = 1;
    world_deliver(&w);
    assert_outcome(&w, OUTCOME_DEFERRED, 4, 3, 0, "the disk reports an error");
    assert_kept(&w, 0);
    world_end(&w);
}

static void power_cut_at_any_call_loses_no_delivered_message_and_shows_no_torn_one(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        for (uint64_t n = 1;; n++) {
            struct world w;
            const char *path = NULL;
            world_begin(&w, HOP_MAILDIR, "/mail/a/", STR(BODY));
            w.disk.store.random += seed;
            w.disk.cut_at = n;
            world_deliver(&w);
            bool reached = w.disk.calls >= n;
            bool delivered = world_delivered(&w);
            assert_int_not_equal(delivered, reached);
            sim_disk_cut(&w.disk);
            world_restart(&w);
            size_t count = count_in(&w, "/mail/a/new/", &path);
            assert_in_range(count, delivered ? 1 : 0, 1);
            assert_kept(&w, count);
            world_deliver(&w);
            assert_kept(&w, count + 1);
            world_end(&w);
            if (!reached) {
                break;
            }
        }
    }
}

static void what_went_wrong_is_told_in_words_with_the_path(void **state)
{
    (void)state;
    static const struct {
        int error;
        enum outcome_kind kind;
        struct status_code status;
        const char *text;
    } rows[] = {
        {-ENOSPC, OUTCOME_DEFERRED, {4, 3, 1}, "the file system is full"},
        {-EDQUOT, OUTCOME_DEFERRED, {4, 2, 2}, "quota"},
        {-EACCES, OUTCOME_DEFERRED, {4, 3, 0}, "must be able to write there"},
        {-EPERM, OUTCOME_DEFERRED, {4, 3, 0}, "must be able to write there"},
        {-EROFS, OUTCOME_DEFERRED, {4, 3, 0}, "read-only"},
        {-ENOTDIR, OUTCOME_DEFERRED, {4, 3, 0}, "a file where a folder should be"},
        {-ENAMETOOLONG, OUTCOME_FAILED, {5, 1, 1}, "too long"},
        {-EXDEV, OUTCOME_DEFERRED, {4, 3, 0}, "system error 18"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world w;
        world_begin(&w, HOP_MAILDIR, "/mail/a/", STR(BODY));
        w.disk.fail_at = 3; /* the message is read, the batch begun, the file made */
        w.disk.fail_error = rows[i].error;
        world_deliver(&w);
        assert_outcome(&w, rows[i].kind, rows[i].status.class, rows[i].status.subject,
                       rows[i].status.detail, rows[i].text);
        assert_outcome(&w, rows[i].kind, rows[i].status.class, rows[i].status.subject,
                       rows[i].status.detail, "/mail/a/tmp/17");
        world_end(&w);
    }
}

static void a_disk_that_fills_up_in_the_middle_keeps_no_part(void **state)
{
    (void)state;
    struct world w;
    const char *path = NULL;
    size_t size = 300000;
    char *body = malloc(size);
    memset(body, 'x', size);
    world_begin(&w, HOP_MAILDIR, "/mail/a/", str_from(body, size));
    w.disk.store.capacity = w.disk.store.used + 100000;
    world_deliver(&w);
    assert_outcome(&w, OUTCOME_DEFERRED, 4, 3, 1, "cannot write /mail/a/tmp/");
    assert_int_equal(count_in(&w, "/mail/a/", &path), 0);
    w.disk.store.capacity = UINT64_MAX;
    world_deliver(&w);
    assert_int_equal(count_in(&w, "/mail/a/new/", &path), 1);
    assert_int_equal(sim_disk_bytes(&w.disk, path).len, strlen(TOP) + size);
    world_end(&w);
    free(body);
}

static void a_file_in_the_place_of_the_maildir_is_told(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, HOP_MAILDIR, "/mail/a/", STR(BODY));
    world_folder(&w, "/mail");
    sim_disk_put(&w.disk, "/mail/a", STR("a file"));
    world_deliver(&w);
    assert_outcome(&w, OUTCOME_DEFERRED, 4, 3, 0, "a file where a folder should be");
    assert_text(sim_disk_bytes(&w.disk, "/mail/a"), "a file");
    world_end(&w);
}

static void a_maildir_that_lost_its_new_gets_it_back(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, HOP_MAILDIR, "/mail/a/", STR(BODY));
    world_folder(&w, "/mail/a/tmp");
    world_deliver(&w);
    assert_kept(&w, 1);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_in_new_and_nothing_in_tmp),
        cmocka_unit_test(the_name_holds_time_id_and_size),
        cmocka_unit_test(a_name_is_of_the_specification_s_form),
        cmocka_unit_test(any_call_that_fails_leaves_no_file_and_another_attempt_delivers_one),
        cmocka_unit_test(a_sync_that_fails_is_no_delivery),
        cmocka_unit_test(power_cut_at_any_call_loses_no_delivered_message_and_shows_no_torn_one),
        cmocka_unit_test(what_went_wrong_is_told_in_words_with_the_path),
        cmocka_unit_test(a_disk_that_fills_up_in_the_middle_keeps_no_part),
        cmocka_unit_test(a_file_in_the_place_of_the_maildir_is_told),
        cmocka_unit_test(a_maildir_that_lost_its_new_gets_it_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
