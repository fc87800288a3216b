#include "path/queue/history.h"
#include "stage.h"

struct found {
    struct history_search search;
    uint64_t ids[600];
    size_t count;
    size_t most;
    unsigned done;
};

static bool each(struct history_search *search, const struct story *story)
{
    struct found *f = CONTAINER_OF(search, struct found, search);
    f->ids[f->count++] = story->envelope.id.value;
    return f->count < f->most;
}

static void done(struct history_search *search)
{
    CONTAINER_OF(search, struct found, search)->done++;
}

static void add(struct stage *s, struct history *h, uint64_t id, const char *to)
{
    struct envelope_rcpt rcpt = {.address = str_from_cstr(to)};
    struct envelope e = {.id = {id},
                         .reverse_path = STR("from@home.test"),
                         .arrived = s->now,
                         .rcpts = &rcpt,
                         .rcpt_count = 1};
    struct outcome o = {.kind = OUTCOME_RELAYED, .at = s->now, .text = STR("250 Ok")};
    struct buf envelope = {0};
    struct buf outcomes = {0};
    envelope_encode(&envelope, &e);
    outcome_encode(&outcomes, &o);
    history_add(h, &(struct history_record){e.id, s->now, buf_str(&envelope), buf_str(&outcomes)});
    buf_done(&envelope);
    buf_done(&outcomes);
}

static struct found *find(struct stage *s, struct history *h, uint64_t id, const char *address,
                          size_t most)
{
    static struct found f;
    f = (struct found){.most = most};
    f.search = (struct history_search){
        .each = each, .done = done, .id = {id}, .address = str_from_cstr(address)};
    history_find(h, &f.search);
    assert_int_equal(f.done, 0);
    stage_run(s, SPAN_S(5));
    assert_int_equal(f.done, 1);
    assert_int_equal(f.search.result, 0);
    return &f;
}

static void stories_are_found_newest_first_by_id_and_address(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    struct history *h = history_new(&s->ports, STR("/spool/stories"));
    add(s, h, 1, "bob@there.test");
    add(s, h, 2, "eve@there.test");
    assert_int_equal(find(s, h, 0, "", 9)->count, 2);
    add(s, h, 3, "bob@there.test"); /* perhaps not yet on the disk */
    struct found *f = find(s, h, 0, "Bob@There.test", 9);
    assert_int_equal(f->count, 2);
    assert_int_equal(f->ids[0], 3);
    assert_int_equal(f->ids[1], 1);
    assert_int_equal(find(s, h, 2, "", 9)->ids[0], 2);
    assert_int_equal(find(s, h, 4, "", 9)->count, 0);
    assert_int_equal(find(s, h, 0, "from@home.test", 2)->count, 2);
    history_free(h);
    stage_free(s);
}

static void ignore(struct disk_op *op)
{
    (void)op;
}

static unsigned flushed_times;

static void flushed(void *owner)
{
    (void)owner;
    flushed_times++;
}

static void stories_stay_over_a_restart_and_a_torn_end_costs_only_itself(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    struct history *h = history_new(&s->ports, STR("/spool/stories"));
    flushed_times = 0;
    add(s, h, 1, "bob@there.test");
    stage_run(s, SPAN_S(1));
    add(s, h, 2, "bob@there.test");
    history_flush(h, flushed, NULL);
    stage_run(s, SPAN_S(1));
    assert_int_equal(flushed_times, 1);
    history_free(h);
    char path[64];
    (void)snprintf(path, sizeof path, "/spool/stories/%016llx",
                   (unsigned long long)(START.us / 1000));
    struct str bytes = sim_disk_bytes(&s->disk, path);
    for (unsigned i = 0; !bytes.ptr && i < 50; i++) {
        (void)snprintf(path, sizeof path, "/spool/stories/%016llx",
                       (unsigned long long)(START.us / 1000 + i));
        bytes = sim_disk_bytes(&s->disk, path);
    }
    assert_non_null(bytes.ptr);
    struct disk *disk = &s->disk.disk;
    struct disk_op op = {.done = ignore};
    disk->open(disk, &op, str_from_cstr(path), DISK_WRITE);
    stage_run(s, SPAN_S(1));
    struct disk_file *file = op.file;
    disk->truncate(disk, &op, file, bytes.len - 1);
    stage_run(s, SPAN_S(1));
    disk->close(disk, file);
    h = history_new(&s->ports, STR("/spool/stories"));
    struct found *f = find(s, h, 0, "", 9);
    assert_int_equal(f->count, 1);
    assert_int_equal(f->ids[0], 1);
    add(s, h, 3, "bob@there.test");
    stage_run(s, SPAN_S(1));
    f = find(s, h, 0, "", 9);
    assert_int_equal(f->count, 2);
    assert_int_equal(f->ids[0], 3);
    history_free(h);
    stage_free(s);
}

static void the_oldest_stories_go_when_there_are_too_many(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    struct history *h = history_new(&s->ports, STR("/spool/stories"));
    history_bound(h, SPAN_D(7), 200000);
    for (uint64_t id = 1; id <= 4000; id++) {
        add(s, h, id, "bob@there.test");
        if (id % 100 == 0) {
            stage_run(s, SPAN_S(1));
        }
    }
    struct found *f = find(s, h, 0, "", 600);
    assert_int_equal(f->count, 600);
    assert_int_equal(f->ids[0], 4000);
    assert_int_equal(f->ids[599], 3401);
    assert_int_equal(find(s, h, 1, "", 9)->count, 0);
    history_free(h);
    stage_free(s);
}

static void stories_go_when_they_are_old(void **state)
{
    (void)state;
    struct stage *s = stage_new();
    struct history *h = history_new(&s->ports, STR("/spool/stories"));
    history_bound(h, SPAN_D(2), 1 << 20);
    add(s, h, 1, "bob@there.test");
    stage_run(s, SPAN_D(1));
    add(s, h, 2, "bob@there.test");
    assert_int_equal(find(s, h, 0, "", 9)->count, 2);
    stage_run(s, SPAN_H(25));
    struct found *f = find(s, h, 0, "", 9);
    assert_int_equal(f->count, 1);
    assert_int_equal(f->ids[0], 2);
    history_free(h);
    stage_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stories_are_found_newest_first_by_id_and_address),
        cmocka_unit_test(stories_stay_over_a_restart_and_a_torn_end_costs_only_itself),
        cmocka_unit_test(the_oldest_stories_go_when_there_are_too_many),
        cmocka_unit_test(stories_go_when_they_are_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
