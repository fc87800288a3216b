#include "path/deliver/local_deliver.h"

#include "local_world.h"

#include "path/deliver/local_delivery.h"

static void only_line_ends_change_on_the_way_into_a_mailbox(void **state)
{
    (void)state;
    static const struct {
        struct str body, kept;
    } rows[] = {
        {STR_INIT("a\r\nb\r\n"), STR_INIT("a\nb\n\n")},
        {STR_INIT("a\rb\r\r\nc\r"), STR_INIT("a\rb\r\nc\r\n\n")},
        {STR_INIT("a\nb"), STR_INIT("a\nb\n\n")},
        {STR_INIT("\0\xff\r\n.\r\n"), STR_INIT("\0\xff\n.\n\n")},
        {STR_INIT(""), STR_INIT("\n")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world w;
        world_begin(&w, HOP_MBOX, "/box", rows[i].body);
        world_deliver(&w);
        assert_true(world_delivered(&w));
        struct str kept = sim_disk_bytes(&w.disk, "/box");
        size_t top = str_find_str(kept, STR("Received: here\n")) + strlen("Received: here\n");
        if (!str_eq(str_tail(kept, top), rows[i].kept)) {
            fail_msg("row %zu: \"%.*s\"", i, STR_ARG(str_tail(kept, top)));
        }
        world_end(&w);
    }
}

static void a_cr_at_a_piece_s_end_waits_for_what_follows(void **state)
{
    (void)state;
    for (size_t at = OUTGOING_PIECE - 2; at < OUTGOING_PIECE + 2; at++) {
        for (int kind = 0; kind < 3; kind++) {
            static const struct str ends[] = {STR_INIT("\r\nz"), STR_INIT("\rz"), STR_INIT("\r")};
            static const struct str kept[] = {STR_INIT("\nz"), STR_INIT("\rz"), STR_INIT("\r")};
            struct world w;
            struct buf body = {0};
            while (body.len < at) {
                buf_add_char(&body, 'x');
            }
            buf_add(&body, ends[kind]);
            world_begin(&w, HOP_MBOX, "/box", buf_str(&body));
            world_deliver(&w);
            struct str got = sim_disk_bytes(&w.disk, "/box");
            body.len = at;
            buf_add(&body, kept[kind]);
            buf_add(&body, STR("\n\n"));
            assert_true(str_ends(got, buf_str(&body)));
            assert_true(str_ends(str_head(got, got.len - body.len), STR("here\n")));
            buf_done(&body);
            world_end(&w);
        }
    }
}

static void the_top_names_the_mailbox_and_what_it_was_before(void **state)
{
    (void)state;
    static const struct {
        struct str address, final;
        const char *top;
    } rows[] = {
        {STR_INIT("a@b"), STR_INIT("a@b"), "Delivered-To: a@b\nReceived"},
        {STR_INIT("a@b"), STR_INIT(""), "Delivered-To: a@b\nReceived"},
        {STR_INIT("l@b"), STR_INIT("a@b"), "Delivered-To: a@b\nX-Original-To: l@b\nReceived"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world w;
        world_begin(&w, HOP_MBOX, "/box", STR("x"));
        w.rcpt.address = rows[i].address;
        w.rcpt.final_mailbox = rows[i].final;
        world_deliver(&w);
        assert_true(str_find_str(sim_disk_bytes(&w.disk, "/box"), str_from_cstr(rows[i].top)) !=
                    STR_NONE);
        world_end(&w);
    }
}

static void a_binary_message_is_made_8_bit_or_refused(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w, HOP_MBOX, "/box",
                STR("Content-Transfer-Encoding: binary\r\n"
                    "MIME-Version: 1.0\r\nContent-Type: image/png\r\n\r\n\0\n\r"));
    w.envelope.body = BODY_BINARYMIME;
    world_deliver(&w);
    assert_true(world_delivered(&w));
    assert_true(str_find_str(sim_disk_bytes(&w.disk, "/box"), STR("\nAAoN\n")) != STR_NONE);
    world_end(&w);

    world_begin(&w, HOP_MBOX, "/box",
                STR("MIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\n\r\n\0\n\r"));
    w.envelope.body = BODY_BINARYMIME;
    world_deliver(&w);
    assert_outcome(&w, OUTCOME_FAILED, 5, 6, 3, "mailboxes cannot hold");
    assert_false(sim_disk_exists(&w.disk, "/box.lock"));
    assert_int_equal(sim_disk_bytes(&w.disk, "/box").len, 0);
    world_end(&w);
}

static void what_is_thrown_away_counts_as_delivered(void **state)
{
    (void)state;
    static const struct {
        enum hop_kind kind;
        const char *path;
    } rows[] = {{HOP_DISCARD, ""}, {HOP_MBOX, "/dev/null"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world w;
        world_begin(&w, rows[i].kind, rows[i].path, STR("x"));
        world_deliver(&w);
        assert_outcome(&w, OUTCOME_DELIVERED, 2, 0, 0, "discarded");
        assert_int_equal(w.disk.calls, 0);
        world_end(&w);
    }
}

static void a_file_s_folder_is_known_by_its_path(void **state)
{
    (void)state;
    static const struct {
        struct str path, bare, folder;
    } rows[] = {
        {STR_INIT("/a/b"), STR_INIT("/a/b"), STR_INIT("/a")},
        {STR_INIT("/a"), STR_INIT("/a"), STR_INIT("/")},
        {STR_INIT("/"), STR_INIT("/"), STR_INIT("/")},
        {STR_INIT("//"), STR_INIT("/"), STR_INIT("/")},
        {STR_INIT("a"), STR_INIT("a"), STR_INIT(".")},
        {STR_INIT("/a//b"), STR_INIT("/a//b"), STR_INIT("/a")},
        {STR_INIT("/a/b///"), STR_INIT("/a/b"), STR_INIT("/a/b")},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_true(str_eq(local_bare_path(rows[i].path), rows[i].bare));
        assert_true(str_eq(local_folder_of(rows[i].path), rows[i].folder));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_line_ends_change_on_the_way_into_a_mailbox),
        cmocka_unit_test(a_cr_at_a_piece_s_end_waits_for_what_follows),
        cmocka_unit_test(the_top_names_the_mailbox_and_what_it_was_before),
        cmocka_unit_test(a_binary_message_is_made_8_bit_or_refused),
        cmocka_unit_test(what_is_thrown_away_counts_as_delivered),
        cmocka_unit_test(a_file_s_folder_is_known_by_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
