/* A queued message read piece by piece, from a spool and a disk that do as each test says. */
#include "control/message.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <errno.h>
#include <string.h>

enum { OFFSET = 100 };

static struct {
    struct spool_get *get;
    struct disk_op *read;
    struct str into;
    uint64_t offset;
    unsigned releases, ends;
    int result;
    bool pause;
    struct buf told;
    struct buf body;
    struct control_message m;
} w;

static void get(struct spool *s, struct spool_get *op)
{
    (void)s;
    w.get = op;
}

static void release(struct spool *s, struct queue_id id)
{
    (void)s;
    assert_int_equal(id.value, 7);
    w.releases++;
}

static void read_file(struct disk *disk, struct disk_op *op, struct disk_file *file,
                      uint64_t offset, struct str into)
{
    (void)disk;
    (void)file;
    assert_null(w.read);
    w.read = op;
    w.into = into;
    w.offset = offset;
}

static const struct spool_ops ops = {.get = get, .release = release};
static struct spool spool = {&ops};
static struct disk disk = {.read = read_file};
static const struct ports ports = {.disk = &disk};

static void on_piece(struct control_message *m, struct str piece)
{
    assert_true(piece.len <= CONTROL_PIECE);
    buf_add(&w.told, piece);
    m->paused = w.pause;
}

static void on_done(struct control_message *m)
{
    w.ends++;
    w.result = m->result;
}

static int begin(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    for (size_t i = 0; i < 2 * CONTROL_PIECE + 10; i++) {
        buf_add_char(&w.body, (char)(i * 31));
    }
    w.m = (struct control_message){
        .each = on_piece, .done = on_done, .ports = &ports, .spool = &spool, .id = {7}};
    control_message_start(&w.m);
    assert_int_equal(w.ends, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buf_done(&w.body);
    buf_done(&w.told);
    return 0;
}

static void spool_says(int result, uint64_t body_size)
{
    w.get->additions = STR("Received: here\r\n");
    w.get->body = (struct spool_body){.offset = OFFSET, .size = body_size};
    w.get->result = result;
    w.get->done(w.get);
}

/* A read ends; false: none is under way. */
static bool disk_turns(void)
{
    struct disk_op *op = w.read;
    if (op) {
        w.read = NULL;
        memcpy((char *)(uintptr_t)w.into.ptr, w.body.ptr + w.offset - OFFSET, w.into.len);
        op->result = (int64_t)w.into.len;
        op->done(op);
    }
    return op != NULL;
}

static void is_told_whole(void)
{
    assert_int_equal(w.ends, 1);
    assert_int_equal(w.result, 0);
    assert_int_equal(w.releases, 1);
    assert_int_equal(w.m.size, w.told.len);
    size_t top = strlen("Received: here\r\n");
    assert_int_equal(w.told.len, top + w.body.len);
    assert_memory_equal(w.told.ptr, "Received: here\r\n", top);
    assert_memory_equal(w.told.ptr + top, w.body.ptr, w.body.len);
}

static void our_own_lines_come_first_then_the_body_in_pieces(void **state)
{
    (void)state;
    spool_says(0, w.body.len);
    while (disk_turns()) {}
    is_told_whole();
}

static void a_message_without_a_body_is_its_header(void **state)
{
    (void)state;
    spool_says(0, 0);
    assert_false(disk_turns());
    assert_int_equal(w.ends, 1);
    assert_int_equal(w.result, 0);
    assert_int_equal(w.releases, 1);
}

static void nothing_is_read_while_the_asker_does_not_read(void **state)
{
    (void)state;
    w.pause = true;
    spool_says(0, w.body.len);
    for (int i = 0; i < 3; i++) {
        assert_null(w.read);
        control_message_resume(&w.m);
        control_message_resume(&w.m); /* once more is fine */
        assert_true(disk_turns());
    }
    assert_int_equal(w.ends, 1);
    is_told_whole();
}

static void what_is_not_there_is_not_released(void **state)
{
    (void)state;
    spool_says(-ENOENT, 0);
    assert_int_equal(w.ends, 1);
    assert_int_equal(w.result, -ENOENT);
    assert_int_equal(w.releases, 0);
    assert_int_equal(w.told.len, 0);
}

static void a_disk_that_fails_ends_it(void **state)
{
    (void)state;
    static const int64_t results[] = {-EIO, 0}; /* 0: the file is shorter than it must be */
    for (size_t i = 0; i < ARRAY_LEN(results); i++) {
        spool_says(0, w.body.len);
        struct disk_op *op = w.read;
        w.read = NULL;
        op->result = results[i];
        op->done(op);
        assert_int_equal(w.result, -EIO);
        assert_int_equal(w.releases, 1);
        (void)end(NULL);
        (void)begin(NULL);
    }
    spool_says(-ENOENT, 0);
}

static void whoever_goes_away_is_told_no_more_and_nothing_stays_pinned(void **state)
{
    (void)state;
    control_message_cancel(&w.m); /* while the spool looks */
    spool_says(0, w.body.len);
    assert_int_equal(w.releases, 1);
    assert_int_equal(w.result, -ECANCELED);
    (void)end(NULL);
    (void)begin(NULL);
    spool_says(0, w.body.len); /* while the disk reads */
    size_t told = w.told.len;
    control_message_cancel(&w.m);
    assert_int_equal(w.ends, 0);
    assert_true(disk_turns());
    assert_int_equal(w.ends, 1);
    assert_int_equal(w.told.len, told);
    (void)end(NULL);
    (void)begin(NULL);
    w.pause = true; /* while it is paused */
    spool_says(0, w.body.len);
    control_message_cancel(&w.m);
    assert_int_equal(w.ends, 1);
    assert_int_equal(w.releases, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(our_own_lines_come_first_then_the_body_in_pieces, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_message_without_a_body_is_its_header, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_read_while_the_asker_does_not_read, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_not_released, begin, end),
        cmocka_unit_test_setup_teardown(a_disk_that_fails_ends_it, begin, end),
        cmocka_unit_test_setup_teardown(whoever_goes_away_is_told_no_more_and_nothing_stays_pinned,
                                        begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
