#include "path/deliver/deposit.h"

#include "local_world.h"

enum { FILES = 40 };

struct box {
    struct world w;
    struct deposits desk;
    struct deposit files[FILES];
    struct arena names;
    unsigned done;
};

static struct box *box;

static void on_done(struct deposit *d)
{
    (void)d;
    box->done++;
}

/* So many files into so many folders, in turn. */
static void begin(struct box *b, size_t count, size_t folders)
{
    box = b;
    b->done = 0;
    b->names = (struct arena){0};
    memset(b->files, 0, sizeof b->files);
    world_begin(&b->w, HOP_MAILDIR, "/unused", STR("unused"));
    world_folder(&b->w, "/tmp");
    deposits_init(&b->desk, &b->w.ports);
    for (size_t i = 0; i < folders; i++) {
        world_folder(&b->w, arena_format(&b->names, "/new%zu", i).ptr);
    }
    b->w.disk.calls = b->w.disk.syncs = 0;
    for (size_t i = 0; i < count; i++) {
        b->files[i] = (struct deposit){
            .done = on_done,
            .draft = arena_format(&b->names, "/tmp/%zu", i),
            .final = arena_format(&b->names, "/new%zu/%zu", i % folders, i),
            .bytes = arena_format(&b->names, "file %zu", i),
        };
        deposits_add(&b->desk, &b->files[i]);
    }
    assert_int_equal(b->done, 0);
}

static void finish(struct box *b, unsigned count)
{
    while (world_step(&b->w)) {}
    assert_int_equal(b->done, count);
}

static void end(struct box *b)
{
    arena_done(&b->names);
    world_end(&b->w);
}

/* A name holds nothing but its own whole file, here and in no draft. */
static void assert_whole(struct box *b, const struct deposit *d, bool must_be_there)
{
    struct str there = sim_disk_bytes(&b->w.disk, d->final.ptr);
    if (must_be_there || there.ptr) {
        assert_text(there, d->bytes.ptr);
    }
}

static void files_that_wait_together_share_a_batch_and_their_folders_sync(void **state)
{
    (void)state;
    struct box b;
    begin(&b, FILES, 1);
    finish(&b, FILES);
    for (size_t i = 0; i < FILES; i++) {
        assert_int_equal(b.files[i].result, 0);
        assert_whole(&b, &b.files[i], true);
        assert_false(sim_disk_exists(&b.w.disk, b.files[i].draft.ptr));
    }
    /* Each file: made, written, synced, moved. Each batch: begun, its folder synced once. */
    assert_true(b.w.disk.calls > 4 * FILES);
    assert_true(b.w.disk.calls <= 4 * FILES + 2 * (FILES / DEPOSIT_BATCH + 1));
    end(&b);
}

static void a_file_that_fails_harms_no_other_of_its_batch(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct box b;
        size_t failed = 0;
        begin(&b, FILES, FILES - 1); /* the first and the last share a folder */
        b.w.disk.fail_at = n;
        b.w.disk.fail_error = -EDQUOT;
        finish(&b, FILES);
        for (size_t i = 0; i < FILES; i++) {
            bool fine = b.files[i].result == 0;
            failed += !fine;
            assert_true(fine || b.files[i].result == -EDQUOT);
            assert_int_equal(sim_disk_exists(&b.w.disk, b.files[i].final.ptr), fine);
            assert_false(sim_disk_exists(&b.w.disk, b.files[i].draft.ptr));
        }
        bool reached = b.w.disk.calls >= n;
        /* One call is one file's; or its folder's, or a whole batch could not be begun. */
        assert_in_range(failed, reached ? 1 : 0, reached ? FILES / DEPOSIT_BATCHES + 2 : 0);
        end(&b);
        if (!reached) {
            assert_true(n > 4 * FILES);
            break;
        }
    }
}

static void a_missing_folder_is_told_of_its_own_file_alone(void **state)
{
    (void)state;
    struct box b;
    begin(&b, 3, 3);
    sim_disk_remove(&b.w.disk, "/new1");
    finish(&b, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(b.files[i].result, i == 1 ? -ENOENT : 0);
    }
    assert_int_equal(b.files[1].step, DEPOSIT_MOVE);
    assert_false(sim_disk_exists(&b.w.disk, "/tmp/1"));
    end(&b);
}

static void a_power_cut_at_any_call_leaves_whole_files_and_all_that_were_told(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct box b;
        begin(&b, FILES, 13); /* batches of several folders, of several files */
        b.w.disk.store.random += n;
        b.w.disk.cut_at = n;
        finish(&b, FILES);
        bool reached = b.w.disk.calls >= n;
        sim_disk_cut(&b.w.disk);
        world_restart(&b.w);
        for (size_t i = 0; i < FILES; i++) {
            assert_whole(&b, &b.files[i], b.files[i].result == 0);
        }
        end(&b);
        if (!reached) {
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_wait_together_share_a_batch_and_their_folders_sync),
        cmocka_unit_test(a_file_that_fails_harms_no_other_of_its_batch),
        cmocka_unit_test(a_missing_folder_is_told_of_its_own_file_alone),
        cmocka_unit_test(a_power_cut_at_any_call_leaves_whole_files_and_all_that_were_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
