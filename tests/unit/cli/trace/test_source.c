#include "cli/trace/source.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/trace-source-XXXXXX";
static struct source source;

static const char *path_of(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void begin(const char *path, bool all, size_t keep)
{
    source = (struct source){.path = path, .all = all, .keep = keep};
    assert_int_equal(source_open(&source), 0);
}

static void gives(const char *text)
{
    assert_int_equal(source_next(&source), 1);
    assert_int_equal(source.message.len, strlen(text));
    assert_memory_equal(source.message.ptr, text, strlen(text));
}

static void is_named(const char *before, const char *file)
{
    char name[200];
    (void)snprintf(name, sizeof name, "%s%s/%s", before, folder, file);
    assert_int_equal(source.name.len, strlen(name));
    assert_memory_equal(source.name.ptr, name, strlen(name));
}

static void ends(void)
{
    assert_int_equal(source_next(&source), 0);
    source_close(&source);
}

static void a_file_is_one_message_whatever_stands_in_it(void **state)
{
    (void)state;
    put("one", "A: b\r\n\r\n\nFrom here on\n>From there\n");
    begin(path_of("one"), true, 1000);
    gives("A: b\r\n\r\n\nFrom here on\n>From there\n");
    is_named("", "one");
    ends();
}

static void an_mbox_is_cut_at_its_lines_and_unquoted(void **state)
{
    (void)state;
    put("mbox", "From a Mon\nA: 1\n\nx\nFrom inside\n>From y\n>>From z\n> From\n\nFrom b Tue\n"
                "A: 2\n\nlast");
    begin(path_of("mbox"), true, 1000);
    gives("A: 1\n\nx\nFrom inside\nFrom y\n>From z\n> From\n\n");
    is_named("message 1 of ", "mbox");
    gives("A: 2\n\nlast");
    is_named("message 2 of ", "mbox");
    ends();
    begin(path_of("mbox"), false, 1000);
    gives("A: 1\n\nx\nFrom inside\nFrom y\n>From z\n> From\n\n");
    assert_true(source.more);
    ends();
}

static void an_mbox_of_one_has_no_more(void **state)
{
    (void)state;
    put("mbox1", "From a Mon\nA: 1\n\nx\n");
    begin(path_of("mbox1"), false, 1000);
    gives("A: 1\n\nx\n");
    assert_false(source.more);
    ends();
}

/* Lines are cut between the pieces that are read, at every place. */
static void it_does_not_matter_where_a_piece_ends(void **state)
{
    (void)state;
    enum { AROUND = 12 };
    size_t room = SOURCE_PIECE + 200;
    char *text = calloc(1, room);
    assert_non_null(text);
    for (size_t before = SOURCE_PIECE - AROUND; before < SOURCE_PIECE + AROUND; before++) {
        memset(text, 0, room);
        (void)snprintf(text, room, "From a Mon\nA: ");
        size_t at = strlen(text);
        memset(text + at, 'x', before - at);
        (void)snprintf(text + before, room - before, "\n\nFrom b Tue\nB: 1\n\n>From c\n");
        put("mbox2", text);
        begin(path_of("mbox2"), true, room);
        assert_int_equal(source_next(&source), 1);
        assert_int_equal(source.message.len, before - strlen("From a Mon\n") + 2);
        gives("B: 1\n\nFrom c\n");
        ends();
    }
    free(text);
}

static void no_more_is_kept_than_was_asked_for(void **state)
{
    (void)state;
    put("big", "From a Mon\nA: 12345\n\nFrom b Tue\nB: 1\n");
    begin(path_of("big"), true, 5);
    gives("A: 12");
    assert_true(source.cut);
    gives("B: 1\n");
    assert_false(source.cut);
    ends();
}

static void a_maildir_is_read_by_name_and_nothing_else_in_it(void **state)
{
    (void)state;
    static const char *const folders[] = {"md", "md/cur", "md/new", "md/tmp", "md/cur/sub"};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        assert_int_equal(mkdir(path_of(folders[i]), 0700), 0);
    }
    put("md/cur/2:2,S", "A: 2\n");
    put("md/cur/1:2,", "A: 1\n");
    put("md/cur/.hidden", "A: no\n");
    put("md/new/3", "A: 3\n");
    put("md/tmp/4", "A: no\n");
    put("md/other", "A: no\n");
    assert_int_equal(mkfifo(path_of("md/cur/fifo"), 0600), 0);
    source = (struct source){.path = path_of("md"), .keep = 100};
    assert_int_equal(source_open(&source), -EISDIR);
    char path[128];
    (void)snprintf(path, sizeof path, "%s", path_of("md"));
    begin(path, true, 100);
    gives("A: 1\n");
    is_named("", "md/cur/1:2,");
    gives("A: 2\n");
    gives("A: 3\n");
    assert_int_equal(source_next(&source), 0);
    assert_int_equal(source.unreadable, 1);
    source_close(&source);
}

static void nothing_is_no_message(void **state)
{
    (void)state;
    put("nothing", "");
    begin(path_of("nothing"), true, 100);
    ends();
    source = (struct source){.path = path_of("is-not-there"), .keep = 100};
    assert_int_equal(source_open(&source), -ENOENT);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const files[] = {
        "one",      "mbox",         "mbox1",       "mbox2",          "big",
        "nothing",  "md/cur/2:2,S", "md/cur/1:2,", "md/cur/.hidden", "md/new/3",
        "md/tmp/4", "md/other",     "md/cur/fifo"};
    static const char *const folders[] = {"md/cur/sub", "md/cur", "md/new", "md/tmp", "md", ""};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        (void)unlink(path_of(files[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        (void)rmdir(path_of(folders[i]));
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_one_message_whatever_stands_in_it),
        cmocka_unit_test(an_mbox_is_cut_at_its_lines_and_unquoted),
        cmocka_unit_test(an_mbox_of_one_has_no_more),
        cmocka_unit_test(it_does_not_matter_where_a_piece_ends),
        cmocka_unit_test(no_more_is_kept_than_was_asked_for),
        cmocka_unit_test(a_maildir_is_read_by_name_and_nothing_else_in_it),
        cmocka_unit_test(nothing_is_no_message),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
