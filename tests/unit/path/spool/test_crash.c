/* Power cuts, failing syncs, and a disk that fills, at every call of a busy spool. What was
 * acknowledged must be there; what was not must be whole or absent. */
#include "desk.h"

enum { MESSAGES = 60 };

struct known {
    bool asked, acknowledged; /* put */
    bool finish_asked, finish_acknowledged;
    unsigned marks_asked, marks_acknowledged;
    unsigned marks_failed; /* an outcome reported failed may be there or not */
    bool found;
};

static struct known known[MESSAGES + 1];
static struct desk *desk;
static unsigned found_total;

static size_t size_of(uint64_t id)
{
    return id % 9 == 0 ? 20000 : (size_t)(id * 97 % 4000);
}

static struct str body_of(uint64_t id)
{
    static char bytes[20000];
    for (size_t i = 0; i < size_of(id); i++) {
        bytes[i] = (char)(id * 13 + i * 5 + i / 255);
    }
    return str_from(bytes, size_of(id));
}

static bool running(void)
{
    return !desk->disk.dead;
}

struct put_work {
    struct spool_put op;
    struct str body;
    char bytes[20000];
    char envelope[32];
    bool in_file;
    char name[32];
};

static void put_ended(struct spool_put *op)
{
    struct put_work *w = CONTAINER_OF(op, struct put_work, op);
    known[op->id.value].acknowledged = op->result == 0;
    free(w);
}

static void put(uint64_t id)
{
    struct put_work *w = calloc(1, sizeof *w);
    struct str body = body_of(id);
    memcpy(w->bytes, body.ptr, body.len);
    w->body = str_from(w->bytes, body.len);
    (void)snprintf(w->envelope, sizeof w->envelope, "envelope %u", (unsigned)id);
    w->op = (struct spool_put){.done = put_ended,
                               .id = {id},
                               .envelope = str_from_cstr(w->envelope),
                               .body = {&w->body, 1},
                               .body_size = body.len};
    if (id % 9 == 0) { /* as a draft leaves it */
        (void)snprintf(w->name, sizeof w->name, "incoming/%u", (unsigned)id);
        char path[64];
        (void)snprintf(path, sizeof path, "/spool/%s", w->name);
        if (running()) {
            sim_disk_put(&desk->disk, path, w->body);
        }
        if (sim_disk_bytes(&desk->disk, path).len <
            body.len) { /* a full disk: so would a draft end */
            free(w);
            return;
        }
        w->op.body_file = str_from_cstr(w->name);
    }
    known[id].asked = true;
    spool_put(desk->spool, &w->op);
}

struct mark_work {
    struct spool_mark op;
    char text[8];
};

static void mark_ended(struct spool_mark *op)
{
    struct mark_work *w = CONTAINER_OF(op, struct mark_work, op);
    struct known *m = &known[op->id.value];
    if (op->finished) {
        m->finish_acknowledged = op->result == 0;
    } else if (op->result == 0) {
        m->marks_acknowledged++;
    } else {
        m->marks_failed++;
    }
    free(w);
}

static void mark(uint64_t id, bool finished)
{
    struct mark_work *w = calloc(1, sizeof *w);
    struct known *m = &known[id];
    if (!finished) {
        (void)snprintf(w->text, sizeof w->text, "%02u", m->marks_asked++);
    }
    m->finish_asked = m->finish_asked || finished;
    w->op = (struct spool_mark){
        .done = mark_ended, .id = {id}, .outcomes = str_from_cstr(w->text), .finished = finished};
    spool_mark(desk->spool, &w->op);
}

/* Some events, not all: the next operations meet those under way. */
static void some_events(uint64_t salt)
{
    for (uint64_t n = salt % 5; n > 0 && desk_step(desk); n--) {}
}

static void busy_time(void)
{
    for (uint64_t id = 1; id <= MESSAGES; id++) {
        put(id);
        some_events(id * 7);
        if (id > 6 && known[id - 6].acknowledged) {
            mark(id - 6, false);
            some_events(id);
        }
        if (id > 10 && id % 4 != 0 && known[id - 10].acknowledged) {
            mark(id - 10, true);
        }
        if (id % 12 == 4 && known[4].acknowledged) {
            for (unsigned i = 0; i < 5; i++) {
                mark(4, false);
            }
        }
        some_events(id * 3);
        (void)desk->spool->ops->tick(desk->spool);
        if (id % 8 == 0) {
            desk_run(desk);
            desk_tidy(desk);
        }
    }
    desk_run(desk);
}

static void check_found(struct spool_log_open *op, const struct spool_found *f)
{
    (void)op;
    char text[32];
    assert_in_range(f->id.value, 1, MESSAGES);
    struct known *m = &known[f->id.value];
    assert_true(m->asked);
    assert_false(m->finish_acknowledged);
    assert_false(m->found);
    m->found = true;
    found_total++;
    (void)snprintf(text, sizeof text, "envelope %u", (unsigned)f->id.value);
    assert_str(f->envelope, str_from_cstr(text));
    /* Outcomes: all that were acknowledged, in order; of the rest any, each at most once. */
    size_t count = f->outcomes.len / 2;
    assert_int_equal(f->outcomes.len % 2, 0);
    assert_true(count >= m->marks_acknowledged);
    assert_true(count <= m->marks_asked);
    int last = -1;
    for (size_t i = 0; i < count; i++) {
        int number = (f->outcomes.ptr[2 * i] - '0') * 10 + f->outcomes.ptr[2 * i + 1] - '0';
        assert_true(number > last);
        assert_true(m->marks_failed > 0 || number == (int)i);
        last = number;
    }
}

static void check_bodies(struct desk *k)
{
    for (uint64_t id = 1; id <= MESSAGES; id++) {
        struct desk_message m;
        int result = desk_get(k, id, &m);
        assert_int_equal(result, known[id].found ? 0 : -ENOENT);
        if (result == 0) {
            assert_str(m.body, body_of(id));
        }
        desk_release(k, &m);
        bool must = known[id].acknowledged && !known[id].finish_asked;
        assert_true(!must || known[id].found);
    }
}

static void open_and_check(struct desk *k)
{
    for (size_t i = 0; i <= MESSAGES; i++) {
        known[i].found = false;
    }
    int result = desk_open(k, check_found, false);
    if (result < 0) {
        print_message("%s\n", k->open.reason);
    }
    assert_int_equal(result, 0);
    check_bodies(k);
}

/* The machine starts anew. */
static void restart_and_check(struct desk *k)
{
    desk_close(k);
    sim_disk_restart(&k->disk);
    k->disk.store.capacity = UINT64_MAX;
    open_and_check(k);
}

static void start(struct desk *k, uint64_t seed)
{
    memset(known, 0, sizeof known);
    desk_init(k, seed);
    k->options.segment_size = 32 * 1024;
    desk = k;
}

/* How many calls a run makes without a fault. */
static uint64_t calls_of_a_run(uint64_t seed)
{
    struct desk k;
    start(&k, seed);
    assert_int_equal(desk_open(&k, NULL, false), 0);
    busy_time();
    uint64_t calls = k.disk.calls;
    restart_and_check(&k);
    assert_int_equal(k.errors, 0);
    desk_done(&k);
    return calls;
}

static void a_power_cut_at_any_call_loses_nothing_acknowledged(void **state)
{
    (void)state;
    uint64_t calls = calls_of_a_run(1);
    assert_true(calls > 100);
    for (uint64_t n = 1; n <= 2 * calls; n++) {
        struct desk k;
        start(&k, n);
        k.disk.cut_at = n % calls + 1;
        if (desk_open(&k, NULL, false) == 0) {
            busy_time();
        }
        restart_and_check(&k);
        /* And it goes on: another cut, at another call, after some housekeeping. */
        k.disk.cut_at = k.disk.calls + n % 50 + 1;
        desk_tidy(&k);
        restart_and_check(&k);
        desk_done(&k);
    }
}

static void a_failed_sync_is_not_believed_and_its_records_are_written_elsewhere(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 150; n++) {
        struct desk k;
        start(&k, n);
        k.disk.sync_fails_at = n;
        assert_int_equal(desk_open(&k, NULL, false), 0);
        busy_time();
        for (uint64_t id = 1; id <= MESSAGES; id++) {
            assert_true(known[id].acknowledged); /* written elsewhere, so nobody noticed */
        }
        if (n % 2 == 0) {
            sim_disk_cut(&k.disk);
        }
        restart_and_check(&k);
        desk_done(&k);
    }
}

static void
several_failed_syncs_end_operations_with_errors_and_leave_them_whole_or_absent(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 160; n++) {
        struct desk k;
        start(&k, n + 20000);
        k.disk.sync_fails_at = n % 100 + 1;
        k.disk.syncs_fail_times = 2 + n % 3;
        if (desk_open(&k, NULL, false) == 0) {
            k.disk.cut_at = n % 2 ? k.disk.calls + n : 0;
            busy_time();
        }
        restart_and_check(&k);
        desk_done(&k);
    }
}

static void a_record_found_though_its_put_failed_has_its_body(void **state)
{
    (void)state;
    unsigned resurrected = 0;
    for (uint64_t n = 1; n <= 60; n++) {
        struct desk k;
        start(&k, n);
        assert_int_equal(desk_open(&k, NULL, false), 0);
        k.disk.syncs_fail = true;
        put(9);
        desk_run(&k);
        assert_false(known[9].acknowledged);
        if (n % 2) {
            k.disk.syncs_fail = false;
            put(10); /* its success settles that 9 failed */
            desk_run(&k);
            assert_true(known[10].acknowledged);
            assert_false(sim_disk_exists(&k.disk, "/spool/bodies/0000000000009"));
        }
        sim_disk_cut(&k.disk);
        restart_and_check(&k);
        assert_false(n % 2 && known[9].found);
        resurrected += known[9].found;
        desk_done(&k);
    }
    assert_true(resurrected > 0);
}

static void what_a_failed_sync_left_in_memory_alone_is_written_again_by_a_new_program(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 120; n++) {
        struct desk k;
        start(&k, n + 40000);
        assert_int_equal(desk_open(&k, NULL, false), 0);
        k.disk.sync_fails_at = n + 3;
        k.disk.syncs_fail_times = UINT64_MAX / 2;
        busy_time();
        desk_close(&k); /* the program starts anew, the machine does not */
        k.disk.sync_fails_at = 0;
        open_and_check(&k);
        if (!known[MESSAGES].found) {
            put(MESSAGES);
            desk_run(&k);
            assert_true(known[MESSAGES].acknowledged);
        }
        for (uint64_t id = 1; id <= MESSAGES; id++) { /* what was told of cannot be gone again */
            known[id].acknowledged = known[id].acknowledged || known[id].found;
            known[id].finish_asked = known[id].finish_asked && !known[id].found;
        }
        sim_disk_cut(&k.disk);
        restart_and_check(&k);
        desk_done(&k);
    }
}

static void when_every_sync_fails_nothing_is_acknowledged_and_a_good_disk_mends_it(void **state)
{
    (void)state;
    struct desk k;
    start(&k, 3);
    assert_int_equal(desk_open(&k, NULL, false), 0);
    assert_int_equal(desk_put(&k, 1, STR("envelope 1"), body_of(1)), 0);
    known[1] = (struct known){.asked = true, .acknowledged = true};
    k.disk.syncs_fail = true;
    for (uint64_t id = 2; id <= 30; id++) {
        known[id].asked = true;
        assert_int_equal(desk_put(&k, id, STR("envelope"), body_of(id)), -EIO);
        desk_tidy(&k);
    }
    k.disk.syncs_fail = false;
    for (unsigned n = 0; n < 40; n++) {
        desk_tidy(&k);
    }
    assert_int_equal(desk_put(&k, 40, STR("envelope 40"), body_of(40)), 0);
    known[40] = (struct known){.asked = true, .acknowledged = true};
    sim_disk_cut(&k.disk);
    restart_and_check(&k);
    assert_true(known[1].found && known[40].found);
    assert_false(known[2].found);
    desk_done(&k);
}

static void a_disk_that_is_full_from_any_write_on_keeps_what_it_acknowledged(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 240; n++) {
        struct desk k;
        start(&k, n + 1);
        k.disk.store.capacity = (n + 1) * 1024 + 512 * (n % 2);
        if (desk_open(&k, NULL, false) == 0) {
            busy_time();
            if (n % 3 == 0) {
                sim_disk_cut(&k.disk);
            }
        }
        restart_and_check(&k);
        desk_done(&k);
    }
}

static void one_write_that_finds_no_space_at_any_place_loses_nothing(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 200; n++) {
        struct desk k;
        start(&k, n);
        k.disk.write_fails_at = n;
        assert_int_equal(desk_open(&k, NULL, false), 0);
        busy_time();
        restart_and_check(&k);
        desk_done(&k);
    }
}

static void an_error_at_any_call_loses_nothing(void **state)
{
    (void)state;
    uint64_t calls = calls_of_a_run(1);
    for (uint64_t n = 1; n <= calls; n++) {
        struct desk k;
        start(&k, n + 1000);
        k.disk.fail_at = n;
        k.disk.fail_error = -EIO;
        if (desk_open(&k, NULL, false) == 0) {
            busy_time();
        }
        if (n % 2 == 0) {
            sim_disk_cut(&k.disk);
        }
        restart_and_check(&k);
        desk_done(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_power_cut_at_any_call_loses_nothing_acknowledged),
        cmocka_unit_test(a_failed_sync_is_not_believed_and_its_records_are_written_elsewhere),
        cmocka_unit_test(
            several_failed_syncs_end_operations_with_errors_and_leave_them_whole_or_absent),
        cmocka_unit_test(a_record_found_though_its_put_failed_has_its_body),
        cmocka_unit_test(what_a_failed_sync_left_in_memory_alone_is_written_again_by_a_new_program),
        cmocka_unit_test(when_every_sync_fails_nothing_is_acknowledged_and_a_good_disk_mends_it),
        cmocka_unit_test(a_disk_that_is_full_from_any_write_on_keeps_what_it_acknowledged),
        cmocka_unit_test(one_write_that_finds_no_space_at_any_place_loses_nothing),
        cmocka_unit_test(an_error_at_any_call_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
