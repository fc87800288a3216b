/* Damage in a spool that was closed in order: whatever is wiped out, cut or removed is noticed, and
 * salvage keeps the rest. */
#include "desk.h"

#include "path/spool/roll.h"

enum { MESSAGES = 60, SEGMENTS = 16 };

static unsigned found_count;

static void count(struct spool_log_open *op, const struct spool_found *message)
{
    (void)op;
    (void)message;
    found_count++;
}

/* Messages in several segments. */
static void fill(struct desk *k)
{
    static char body[3000];
    desk_init(k, 5);
    assert_int_equal(desk_open(k, NULL, false), 0);
    for (uint64_t id = 1; id <= MESSAGES; id++) {
        memset(body, (int)id, sizeof body);
        assert_int_equal(desk_put(k, id, STR("envelope"), str_from(body, sizeof body)), 0);
    }
    desk_tidy(k);
    desk_close(k);
}

static const char *segment_name(unsigned slot)
{
    static char name[32];
    (void)snprintf(name, sizeof name, "/spool/log/%08x", slot);
    return name;
}

/* The header of a segment in use; false: there is none. */
static bool in_use(struct desk *k, unsigned slot, struct segment_header *h)
{
    struct str bytes = sim_disk_bytes(&k->disk, segment_name(slot));
    return bytes.len >= SEGMENT_START && segment_header_read(bytes, h) == HEADER_OK && h->in_use;
}

static uint64_t newest(struct desk *k)
{
    uint64_t generation = 0;
    for (unsigned slot = 0; slot < SEGMENTS; slot++) {
        struct segment_header h;
        if (in_use(k, slot, &h) && h.generation > generation) {
            generation = h.generation;
        }
    }
    return generation;
}

static void zero(struct desk *k, const char *path, size_t from, size_t to)
{
    struct str bytes = sim_disk_bytes(&k->disk, path);
    for (size_t at = from; at < to && at < bytes.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            if (bytes.ptr[at] >> bit & 1) {
                sim_disk_flip(&k->disk, path, at, bit);
            }
        }
    }
}

static void expect_refusal(struct desk *k)
{
    found_count = 0;
    assert_int_equal(desk_open(k, count, false), -EBADMSG);
    assert_int_equal(found_count, 0);
    assert_int_equal(desk_open(k, count, true), 0);
    assert_true(k->open.salvaged > 0);
    assert_true(found_count > 0 && found_count < MESSAGES);
    desk_tidy(k);
    desk_close(k);
    assert_int_equal(desk_open(k, NULL, false), 0); /* and all is well */
    desk_done(k);
}

static void a_segment_that_is_wiped_out_or_removed_is_missed_wherever_it_stood(void **state)
{
    (void)state;
    unsigned wiped = 0;
    for (unsigned n = 0; n < 2 * SEGMENTS; n++) {
        struct desk k;
        struct segment_header h;
        fill(&k);
        if (!in_use(&k, n / 2, &h)) {
            desk_done(&k);
            continue;
        }
        wiped++;
        if (n % 2 == 0) {
            zero(&k, segment_name(n / 2), 0, SIZE_MAX);
        } else {
            assert_int_equal(
                disk_store_name(&k.disk.store, str_from_cstr(segment_name(n / 2)), NULL), 0);
        }
        expect_refusal(&k);
    }
    assert_true(wiped >= 6);
}

static void records_wiped_out_at_the_end_of_the_newest_segment_are_missed(void **state)
{
    (void)state;
    for (unsigned piece = 0; piece < 3; piece++) {
        struct desk k;
        fill(&k);
        uint64_t generation = newest(&k);
        for (unsigned slot = 0; slot < SEGMENTS; slot++) {
            struct segment_header h;
            if (in_use(&k, slot, &h) && h.generation == generation) {
                zero(&k, segment_name(slot), SEGMENT_START + piece * 3000, SIZE_MAX);
            }
        }
        expect_refusal(&k);
    }
}

static void a_wiped_out_segment_that_held_nothing_is_no_damage(void **state)
{
    (void)state;
    for (unsigned slot = 0; slot < SEGMENTS; slot++) {
        struct desk k;
        struct segment_header h;
        fill(&k);
        if (!in_use(&k, slot, &h)) {
            zero(&k, segment_name(slot), 0, SIZE_MAX);
        }
        found_count = 0;
        assert_int_equal(desk_open(&k, count, false), 0);
        assert_int_equal(found_count, MESSAGES);
        desk_done(&k);
    }
}

static void without_a_roll_the_spool_is_taken_as_it_is_found(void **state)
{
    (void)state;
    struct desk k;
    fill(&k);
    zero(&k, "/spool/roll-0", 0, SIZE_MAX);
    zero(&k, "/spool/roll-1", 0, SIZE_MAX);
    found_count = 0;
    assert_int_equal(desk_open(&k, count, false), 0);
    assert_int_equal(found_count, MESSAGES);
    desk_done(&k);
}

static void a_roll_is_read_as_written_and_not_with_any_bit_changed(void **state)
{
    (void)state;
    struct buf named = {0};
    struct buf out = {0};
    for (uint64_t i = 1; i <= 600; i++) {
        buf_put_u64(&named, i * i);
    }
    struct roll roll = {7, 5000, buf_str(&named)};
    struct roll got;
    roll_write(&out, &roll);
    assert_int_equal(out.len, 2 * ROLL_ALIGN);
    assert_true(roll_read(buf_str(&out), &got));
    assert_int_equal(got.version, 7);
    assert_int_equal(got.end, 5000);
    assert_int_equal(roll_count(&got), 600);
    assert_int_equal(roll_newest(&got), 360000);
    size_t covered = 32 + 600 * 8 + 4;
    for (size_t bit = 0; bit < covered * 8; bit++) {
        out.ptr[bit / 8] = (char)(out.ptr[bit / 8] ^ 1 << bit % 8);
        assert_false(roll_read(buf_str(&out), &got));
        out.ptr[bit / 8] = (char)(out.ptr[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t len = 0; len < covered; len += 7) {
        assert_false(roll_read(str_head(buf_str(&out), len), &got));
    }
    buf_done(&named);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_that_is_wiped_out_or_removed_is_missed_wherever_it_stood),
        cmocka_unit_test(records_wiped_out_at_the_end_of_the_newest_segment_are_missed),
        cmocka_unit_test(a_wiped_out_segment_that_held_nothing_is_no_damage),
        cmocka_unit_test(without_a_roll_the_spool_is_taken_as_it_is_found),
        cmocka_unit_test(a_roll_is_read_as_written_and_not_with_any_bit_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
