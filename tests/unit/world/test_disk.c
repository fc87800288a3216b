#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "world.h"

/* Operations one after the other: each is waited for. */
struct step {
    struct disk_op op;
    struct world *world;
    bool done;
};

static void on_done(struct disk_op *op)
{
    struct step *s = CONTAINER_OF(op, struct step, op);
    s->done = true;
    loop_stop(s->world->loop);
}

static struct world world;
static struct step step;
static char folder[64];
static char path_text[256];

static struct str path(const char *name)
{
    snprintf(path_text, sizeof path_text, "%s/%s", folder, name);
    return str_from_cstr(path_text);
}

static struct disk *disk(void)
{
    step = (struct step){.op.done = on_done, .world = &world};
    return world.ports->disk;
}

static int64_t wait_done(void)
{
    assert_false(step.done); /* never before the call returned */
    world_run(&world);
    assert_true(step.done);
    return step.op.result;
}

static struct disk_file *open_file(const char *name, unsigned flags)
{
    struct disk *d = disk();
    d->open(d, &step.op, path(name), flags);
    return wait_done() == 0 ? step.op.file : NULL;
}

static int64_t write_text(struct disk_file *file, uint64_t offset, const char *text, bool sync)
{
    struct disk *d = disk();
    struct str pieces[3] = {str_from(text, 1), {0}, str_from(text + 1, strlen(text) - 1)};
    struct disk_pieces p = {pieces, 3};
    (sync ? d->write_sync : d->write)(d, &step.op, file, offset, &p);
    p = (struct disk_pieces){0};
    return wait_done();
}

static struct str read_text(struct disk_file *file, uint64_t offset, char *into, size_t size)
{
    struct disk *d = disk();
    d->read(d, &step.op, file, offset, str_from(into, size));
    int64_t n = wait_done();
    assert_true(n >= 0);
    return str_from(into, (size_t)n);
}

#define assert_text(actual, expected)                                                              \
    do {                                                                                           \
        struct str actual_ = (actual);                                                             \
        assert_int_equal(actual_.len, strlen(expected));                                           \
        assert_memory_equal(actual_.ptr, (expected), actual_.len);                                 \
    } while (0)

static int begin(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/postrider-disk-XXXXXX");
    assert_non_null(mkdtemp(folder));
    world_begin(&world, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end(&world);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command); /* NOLINT(cert-env33-c) */
}

static void what_is_written_is_read_again_and_short_only_at_the_end(void **state)
{
    (void)state;
    char into[64];
    struct disk_file *file = open_file("a", DISK_READ | DISK_WRITE | DISK_CREATE);
    assert_non_null(file);
    assert_int_equal(write_text(file, 0, "hello, world", false), 12);
    assert_int_equal(write_text(file, 7, "there", true), 5);
    assert_int_equal(write_text(file, 12, "!", true), 1); /* by the committer */
    assert_int_equal(write_text(file, 13, "?", true), 1);
    assert_text(read_text(file, 0, into, sizeof into), "hello, there!?");
    assert_text(read_text(file, 7, into, 5), "there");
    assert_text(read_text(file, 14, into, 5), "");
    struct disk *d = disk();
    d->truncate(d, &step.op, file, 5);
    assert_int_equal(wait_done(), 0);
    d = disk();
    d->sync(d, &step.op, file);
    assert_int_equal(wait_done(), 0);
    d = disk();
    d->stat_file(d, &step.op, file);
    assert_int_equal(wait_done(), 0);
    assert_int_equal(step.op.size, 5);
    assert_false(step.op.is_folder);
    assert_true(instant_seconds(step.op.changed) > 1700000000);
    struct stat st;
    assert_int_equal(stat(path("a").ptr, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    d->close(d, file);
}

static void many_pieces_are_written_whole_and_in_order(void **state)
{
    (void)state;
    enum { COUNT = 3001 };
    static struct str pieces[COUNT];
    static char text[COUNT * 3];
    static char back[COUNT * 3];
    size_t len = 0;
    for (size_t i = 0; i < COUNT; i++) {
        size_t piece = i % 4; /* some are empty */
        memset(text + len, (int)('a' + i % 26), piece);
        pieces[i] = str_from(text + len, piece);
        len += piece;
    }
    struct disk_pieces p = {pieces, COUNT};
    struct disk_file *file = open_file("many", DISK_READ | DISK_WRITE | DISK_CREATE);
    struct disk *d = disk();
    d->write(d, &step.op, file, 0, &p);
    assert_int_equal(wait_done(), len);
    struct str got = read_text(file, 0, back, sizeof back);
    assert_int_equal(got.len, len);
    assert_memory_equal(back, text, len);
    d->close(d, file);
    file = open_file("many", DISK_WRITE | DISK_APPEND);
    assert_int_equal(write_text(file, 0, "tail", false), 4);
    d->close(d, file);
    file = open_file("many", DISK_READ);
    assert_text(read_text(file, len, back, 10), "tail");
    d->close(d, file);
}

static int64_t open_error(const char *name, unsigned flags)
{
    struct disk_file *file = open_file(name, flags);
    assert_null(file);
    return step.op.result;
}

static void errors_are_told_by_their_number(void **state)
{
    (void)state;
    struct disk *d = disk();
    struct disk_file *file = open_file("e", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
    assert_non_null(file);
    char byte;
    disk();
    d->read(d, &step.op, file, 0, str_from(&byte, 1));
    assert_int_equal(wait_done(), -EBADF);
    d->close(d, file);
    assert_int_equal(symlink("e", path("symlink").ptr), 0);
    assert_int_equal(mkfifo(path("fifo").ptr, 0600), 0);
    assert_int_equal(open_error("none", DISK_READ), -ENOENT);
    assert_int_equal(open_error("e", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE), -EEXIST);
    assert_int_equal(open_error("symlink", DISK_READ | DISK_NO_FOLLOW), -ELOOP);
    assert_int_equal(open_error("fifo", DISK_WRITE), -ENXIO);
    assert_int_equal(open_error("e/f", DISK_READ), -ENOTDIR);
    disk();
    d->open(d, &step.op, STR(""), DISK_READ);
    assert_int_equal(wait_done(), -ENOENT);
    disk();
    d->stat(d, &step.op, STR("/tmp/\0x"));
    assert_int_equal(wait_done(), -EINVAL);
    disk();
    d->remove(d, &step.op, path("none"));
    assert_int_equal(wait_done(), -ENOENT);
    disk();
    d->make_folder(d, &step.op, path("e"));
    assert_int_equal(wait_done(), -ENOTDIR);
    disk();
    d->sync_folder(d, &step.op, path("e"));
    assert_int_equal(wait_done(), -ENOTDIR);
}

static void folders_are_made_listed_renamed_linked_and_emptied(void **state)
{
    (void)state;
    struct disk *d = disk();
    d->make_folder(d, &step.op, path("x/y//z"));
    assert_int_equal(wait_done(), 0);
    disk();
    d->make_folder(d, &step.op, path("x/y/z"));
    assert_int_equal(wait_done(), 0);
    disk();
    d->stat(d, &step.op, path("x/y/z"));
    assert_int_equal(wait_done(), 0);
    assert_true(step.op.is_folder);
    struct disk_file *file = open_file("x/one", DISK_WRITE | DISK_CREATE);
    d->close(d, file);
    char to[256];
    snprintf(to, sizeof to, "%s/x/two", folder);
    disk();
    d->link(d, &step.op, path("x/one"), str_from_cstr(to));
    assert_int_equal(wait_done(), 0);
    disk();
    d->link(d, &step.op, path("x/one"), str_from_cstr(to));
    assert_int_equal(wait_done(), -EEXIST);
    disk();
    d->remove(d, &step.op, path("x/one"));
    assert_int_equal(wait_done(), 0);
    snprintf(to, sizeof to, "%s/x/three", folder);
    disk();
    d->rename(d, &step.op, path("x/two"), str_from_cstr(to));
    assert_int_equal(wait_done(), 0);
    disk();
    d->sync_folder(d, &step.op, path("x"));
    assert_int_equal(wait_done(), 0);
    struct arena names = {0};
    disk();
    step.op.names_in = &names;
    d->list(d, &step.op, path("x"));
    assert_int_equal(wait_done(), 0);
    assert_int_equal(step.op.name_count, 2);
    assert_true(str_eq(step.op.names[0], STR("three")) || str_eq(step.op.names[1], STR("three")));
    disk();
    step.op.names_in = &names;
    d->list(d, &step.op, path("x/y/z"));
    assert_int_equal(wait_done(), 0);
    assert_int_equal(step.op.name_count, 0);
    arena_done(&names);
    disk();
    d->space(d, &step.op, path("x"));
    assert_int_equal(wait_done(), 0);
    assert_true(step.op.size > 0 && step.op.size <= step.op.size_total);
}

static struct {
    char from[256];
    char to[256];
    int64_t again;
    int64_t nowhere;
    int64_t result;
} worked;

/* All calls that a work can make, in a thread of the pool. */
static void work(struct disk_op *op, struct disk_calls *calls)
{
    (void)op;
    struct str from = str_from_cstr(worked.from);
    struct disk_file *file = NULL;
    worked.result = calls->create(calls, from, &file);
    if (worked.result < 0) {
        return;
    }
    worked.again = calls->create(calls, from, &file);
    worked.result = calls->write(calls, file, 0, STR("text"));
    calls->begin_sync(calls, file);
    worked.result += calls->sync(calls, file);
    calls->close(calls, file);
    worked.result += calls->rename(calls, from, str_from_cstr(worked.to));
    worked.result += calls->sync_folder(calls, str_from_cstr(folder));
    worked.nowhere = calls->remove(calls, from);
}

static void many_calls_are_one_operation(void **state)
{
    (void)state;
    struct str from = path("from");
    memcpy(worked.from, from.ptr, from.len + 1);
    struct str to = path("to");
    memcpy(worked.to, to.ptr, to.len + 1);
    struct disk *d = disk();
    d->perform(d, &step.op, work);
    assert_int_equal(wait_done(), 0);
    assert_int_equal(worked.result, 4);
    assert_int_equal(worked.again, -EEXIST);
    assert_int_equal(worked.nowhere, -ENOENT);
    struct disk_file *file = open_file("to", DISK_READ);
    char text[8];
    assert_text(read_text(file, 0, text, sizeof text), "text");
    world.ports->disk->close(world.ports->disk, file);
}

static void a_lock_is_held_until_the_file_is_closed(void **state)
{
    (void)state;
    struct disk *d = disk();
    struct disk_file *first = open_file("lock", DISK_WRITE | DISK_CREATE);
    struct disk_file *second = open_file("lock", DISK_WRITE);
    disk();
    d->lock(d, &step.op, first);
    assert_int_equal(wait_done(), 0);
    disk();
    d->lock(d, &step.op, second);
    assert_int_equal(wait_done(), -EAGAIN);
    d->close(d, first);
    int64_t result = -EAGAIN;
    for (int i = 0; i < 1000 && result == -EAGAIN; i++) {
        disk();
        d->lock(d, &step.op, second); /* the close is not waited for */
        result = wait_done();
    }
    assert_int_equal(result, 0);
    d->close(d, second);
}

/* Commits, many at once, while the pool is busy; and the loop may end while all are under way. */
static int left;

static void on_commit(struct disk_op *op)
{
    assert_int_equal(op->result, 4);
    if (--left == 0) {
        loop_stop(world.loop);
    }
}

static void commits_of_a_log_are_all_told(void **state)
{
    (void)state;
    enum { COUNT = 64 };
    static struct disk_op ops[COUNT];
    static const struct str piece = STR_INIT("1234"); /* borrowed beyond the end of this */
    static const struct disk_pieces p = {&piece, 1};
    struct disk_file *file = open_file("log", DISK_WRITE | DISK_CREATE);
    struct disk *d = world.ports->disk;
    left = COUNT;
    for (int i = 0; i < COUNT; i++) {
        ops[i] = (struct disk_op){.done = on_commit};
        d->write_sync(d, &ops[i], file, (uint64_t)i * 4, &p);
    }
    world_run(&world);
    for (int i = 0; i < COUNT; i += 2) {
        d->write_sync(d, &ops[i], file, (uint64_t)i * 4, &p);
        d->stat(d, &ops[i + 1], path("log"));
    }
    static struct disk_op opened;
    opened.done = on_commit;
    d->open(d, &opened, path("log"), DISK_READ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read_again_and_short_only_at_the_end,
                                        begin, end),
        cmocka_unit_test_setup_teardown(many_pieces_are_written_whole_and_in_order, begin, end),
        cmocka_unit_test_setup_teardown(errors_are_told_by_their_number, begin, end),
        cmocka_unit_test_setup_teardown(folders_are_made_listed_renamed_linked_and_emptied, begin,
                                        end),
        cmocka_unit_test_setup_teardown(many_calls_are_one_operation, begin, end),
        cmocka_unit_test_setup_teardown(a_lock_is_held_until_the_file_is_closed, begin, end),
        cmocka_unit_test_setup_teardown(commits_of_a_log_are_all_told, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
