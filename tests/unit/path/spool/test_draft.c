#include "desk.h"

#include "path/spool/draft.h"
#include "path/spool/memory.h"

struct sitting {
    struct desk k;
    struct draft_office office;
    unsigned committed;
    uint64_t committed_id;
    bool done;
    int result;
    unsigned ready;
};

static void committed(void *owner, const struct envelope *envelope)
{
    struct sitting *s = owner;
    s->committed++;
    s->committed_id = envelope->id.value;
    assert_false(s->done); /* the queue knows before the session */
}

static void done(void *owner, int result)
{
    struct sitting *s = owner;
    s->done = true;
    s->result = result;
}

static void ready(void *owner)
{
    ((struct sitting *)owner)->ready++;
}

static void sit(struct sitting *s, uint64_t seed)
{
    memset(s, 0, sizeof *s);
    desk_init(&s->k, seed);
    assert_int_equal(desk_open(&s->k, NULL, false), 0);
    s->office = (struct draft_office){.ports = &s->k.ports,
                                      .home = &s->k.inbox,
                                      .spool = s->k.spool,
                                      .folder = STR("/spool"),
                                      .memory_each = 16 * 1024,
                                      .memory_all = 256 * 1024,
                                      .committed = committed,
                                      .owner = s};
}

static void commit(struct sitting *s, struct draft *d, uint64_t id)
{
    struct envelope_rcpt rcpt = {.address = STR("b@example.org")};
    struct envelope envelope = {.id = {id},
                                .reverse_path = STR("a@example.net"),
                                .protocol = STR("ESMTP"),
                                .body_size = draft_size(d),
                                .rcpts = &rcpt,
                                .rcpt_count = 1};
    struct draft_commit c = {
        .envelope = &envelope, .additions = STR("Received: x\r\n"), .done = done, .owner = s};
    s->done = false;
    draft_commit(d, &c);
    assert_false(s->done);
    desk_run(&s->k);
    assert_true(s->done);
    assert_int_equal(s->office.memory_used, 0);
}

static char byte_at(size_t i)
{
    return (char)(i * 11 + i / 253);
}

/* Adds `size` bytes in pieces, waiting where asked to or (greedy) not at all. */
static void add(struct sitting *s, struct draft *d, size_t size, bool greedy)
{
    static char piece[65536];
    for (size_t at = 0; at < size;) {
        size_t n = size - at < 65536 ? size - at : 65536;
        n = n > 1 ? n - at % 7 % n : n;
        for (size_t i = 0; i < n; i++) {
            piece[i] = byte_at(at + i);
        }
        unsigned before = s->ready;
        if (!draft_add(d, str_from(piece, n), ready, s) && !greedy) {
            desk_run(&s->k);
            assert_int_equal(s->ready, before + 1);
        }
        at += n;
    }
    assert_int_equal(draft_size(d), size);
}

static void a_body_of_any_size_is_committed_byte_for_byte(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 8192, 8193, 16384, 16385, 65536, 400000, 1500000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct sitting s;
        struct desk_message m;
        sit(&s, i + 1);
        struct draft *d = draft_new(&s.office);
        add(&s, d, sizes[i], i % 2 == 1);
        commit(&s, d, 5);
        assert_int_equal(s.result, 0);
        assert_int_equal(s.committed, 1);
        assert_int_equal(s.committed_id, 5);
        assert_int_equal(desk_get(&s.k, 5, &m), 0);
        assert_int_equal(m.body.len, sizes[i]);
        assert_str(m.get.additions, STR("Received: x\r\n"));
        for (size_t b = 0; b < sizes[i]; b++) {
            assert_true(m.body.ptr[b] == byte_at(b));
        }
        desk_release(&s.k, &m);
        desk_done(&s.k);
    }
}

static void memory_stays_bounded_for_a_sender_that_waits(void **state)
{
    (void)state;
    struct sitting s;
    sit(&s, 3);
    struct draft *d = draft_new(&s.office);
    static char piece[32768];
    for (unsigned i = 0; i < 200; i++) {
        if (!draft_add(d, str_from(piece, sizeof piece), ready, &s)) {
            desk_run(&s.k);
        }
        assert_true(s.office.memory_used < 512 * 1024);
    }
    draft_free(d);
    desk_run(&s.k);
    assert_int_equal(s.office.memory_used, 0);
    desk_done(&s.k);
}

static void a_draft_dropped_at_any_time_leaves_no_file(void **state)
{
    (void)state;
    for (unsigned events = 0; events < 12; events++) {
        struct sitting s;
        sit(&s, events + 1);
        struct draft *d = draft_new(&s.office);
        add(&s, d, 200000, true);
        for (unsigned n = 0; n < events; n++) {
            (void)desk_step(&s.k);
        }
        draft_free(d);
        desk_run(&s.k);
        LIST_EACH (node, &s.k.disk.store.names) {
            const struct stored_name *n = CONTAINER_OF(node, struct stored_name, link);
            assert_false(n->now && str_starts(str_from_cstr(n->path), STR("/spool/incoming/")));
        }
        assert_int_equal(s.office.memory_used, 0);
        desk_done(&s.k);
    }
}

static void a_full_disk_is_told_at_the_commit(void **state)
{
    (void)state;
    struct sitting s;
    sit(&s, 4);
    s.k.disk.store.capacity = s.k.disk.store.used + 100000;
    struct draft *d = draft_new(&s.office);
    add(&s, d, 300000, false);
    commit(&s, d, 6);
    assert_int_equal(s.result, -ENOSPC);
    assert_int_equal(s.committed, 0);
    desk_done(&s.k);
}

static void an_error_at_any_call_ends_the_commit_with_an_error_or_a_whole_message(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 40; n++) {
        struct sitting s;
        struct desk_message m;
        sit(&s, n);
        s.k.disk.fail_at = s.k.disk.calls + n;
        s.k.disk.fail_error = -EIO;
        struct draft *d = draft_new(&s.office);
        add(&s, d, 150000, n % 2 == 0);
        commit(&s, d, 6);
        assert_int_equal(s.committed, s.result == 0 ? 1 : 0);
        s.k.disk.fail_at = 0;
        int got = desk_get(&s.k, 6, &m);
        assert_int_equal(got, s.result == 0 ? 0 : -ENOENT);
        desk_release(&s.k, &m);
        desk_done(&s.k);
    }
}

static void the_spool_in_memory_serves_the_same_interface(void **state)
{
    (void)state;
    struct desk k;
    struct desk_message m;
    desk_init(&k, 9);
    k.spool = spool_memory_new(&k.ports, STR("/memory"));
    assert_int_equal(desk_put(&k, 3, STR("e"), STR("a body")), 0);
    assert_int_equal(desk_put(&k, 3, STR("e"), STR("a body")), -EEXIST);
    assert_int_equal(desk_mark(&k, 3, STR("one"), false), 0);
    assert_int_equal(desk_mark(&k, 3, STR("two"), false), 0);
    assert_int_equal(desk_get(&k, 3, &m), 0);
    assert_str(m.get.outcomes, STR("onetwo"));
    assert_str(m.body, STR("a body"));
    assert_int_equal(desk_mark(&k, 3, STR(""), true), 0);
    desk_release(&k, &m);
    assert_int_equal(desk_get(&k, 3, &m), -ENOENT);
    desk_release(&k, &m);
    assert_int_equal(desk_mark(&k, 3, STR(""), true), -ENOENT);
    desk_done(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_of_any_size_is_committed_byte_for_byte),
        cmocka_unit_test(memory_stays_bounded_for_a_sender_that_waits),
        cmocka_unit_test(a_draft_dropped_at_any_time_leaves_no_file),
        cmocka_unit_test(a_full_disk_is_told_at_the_commit),
        cmocka_unit_test(an_error_at_any_call_ends_the_commit_with_an_error_or_a_whole_message),
        cmocka_unit_test(the_spool_in_memory_serves_the_same_interface),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
