#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "world.h"
#include "world/whole_file.h"

static char folder[64];
static char path[96];

static int begin(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/postrider-file-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/one", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void a_file_is_read_up_to_its_limit_and_not_beyond(void **state)
{
    (void)state;
    static char octets[200001];
    struct buf text = {0};
    memset(octets, 'x', sizeof octets);
    assert_int_equal(whole_file_read_small(path, 10, &text), -ENOENT);
    assert_int_equal(whole_file_replace(path, str_from(octets, sizeof octets)), 0);
    buf_add(&text, STR("before"));
    assert_int_equal(whole_file_read_small(path, sizeof octets, &text), 0);
    assert_int_equal(text.len, 6 + sizeof octets);
    buf_clear(&text);
    assert_int_equal(whole_file_read_small(path, sizeof octets - 1, &text), -EFBIG);
    assert_int_equal(text.len, 0);
    buf_done(&text);
}

static void a_stamp_tells_one_state_from_the_next(void **state)
{
    (void)state;
    struct file_stamp first, same, next;
    struct buf text = {0};
    assert_int_equal(whole_file_replace(path, STR("one")), 0);
    assert_int_equal(whole_file_read(path, &text, &first), 0);
    assert_int_equal(file_stamp_of(path, &same), 0);
    assert_memory_equal(&first, &same, sizeof first);
    assert_int_equal(whole_file_replace(path, STR("two")), 0);
    assert_int_equal(file_stamp_of(path, &next), 0);
    assert_memory_not_equal(&first, &next, sizeof first);
    buf_done(&text);
}

static void what_is_no_file_is_refused_and_holds_nobody_up(void **state)
{
    (void)state;
    struct buf text = {0};
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(whole_file_read_small(path, 10, &text), -EINVAL); /* nobody writes into it */
    assert_int_equal(whole_file_read_small("/dev/zero", 10, &text), -EINVAL);
    assert_int_equal(whole_file_read_small(folder, 10, &text), -EISDIR);
    assert_int_equal(text.len, 0);
    buf_done(&text);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_file_is_read_up_to_its_limit_and_not_beyond),
        T(a_stamp_tells_one_state_from_the_next),
        T(what_is_no_file_is_refused_and_holds_nobody_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
