#include "desk.h"

#include "path/spool/record.h"

static size_t write_record(struct record *r, struct str body, uint32_t seed, char *out)
{
    char *at = out + RECORD_HEAD;
    struct str texts[] = {r->envelope, r->additions, r->outcomes, body};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (texts[i].len > 0) {
            memcpy(at, texts[i].ptr, texts[i].len);
            at += texts[i].len;
        }
    }
    record_seal(r, seed, out);
    return (size_t)(at - out);
}

static struct record sample(void)
{
    return (struct record){.type = RECORD_MESSAGE,
                           .synced = 4096,
                           .id = 0x1122334455667788,
                           .first = 1,
                           .last = 9,
                           .born = 3,
                           .envelope = STR("envelope"),
                           .additions = STR("Received: x\r\n"),
                           .outcomes = STR("out"),
                           .body_size = 4};
}

static void a_record_is_read_back_as_it_was_written(void **state)
{
    (void)state;
    char bytes[256];
    struct record r = sample();
    struct record got;
    struct str body = {0};
    r.body_file = true;
    size_t len = write_record(&r, STR(""), 77, bytes);
    assert_int_equal(len, record_length(&r));
    assert_int_equal(record_read(str_from(bytes, len), 77, &got, &body), RECORD_OK);
    assert_int_equal(got.type, RECORD_MESSAGE);
    assert_int_equal(got.id, r.id);
    assert_int_equal(got.synced, 4096);
    assert_int_equal(got.first, 1);
    assert_int_equal(got.last, 9);
    assert_int_equal(got.born, 3);
    assert_int_equal(got.body_size, 4);
    assert_str(got.envelope, r.envelope);
    assert_str(got.additions, r.additions);
    assert_str(got.outcomes, r.outcomes);
    assert_int_equal(body.len, 0);
}

static void a_record_of_another_generation_never_validates(void **state)
{
    (void)state;
    char bytes[256];
    struct record r = sample();
    struct record got;
    r.body_file = true;
    size_t len = write_record(&r, STR(""), segment_seed(5, 1), bytes);
    for (uint64_t generation = 1; generation < 300; generation++) {
        for (uint32_t nonce = 0; nonce < 3; nonce++) {
            uint32_t seed = segment_seed(generation, nonce);
            assert_int_equal(record_read(str_from(bytes, len), seed, &got, NULL) == RECORD_OK,
                             generation == 5 && nonce == 1);
        }
    }
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    char bytes[256];
    struct record r = {
        .type = RECORD_OUTCOME, .id = 4, .first = 2, .last = 2, .outcomes = STR("o")};
    struct record got;
    size_t len = write_record(&r, STR(""), 9, bytes);
    for (size_t bit = 0; bit < len * 8; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        assert_int_not_equal(record_read(str_from(bytes, len), 9, &got, NULL), RECORD_OK);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
    }
    assert_int_equal(record_read(str_from(bytes, len), 9, &got, NULL), RECORD_OK);
}

static void a_record_cut_anywhere_is_short_and_zeros_are_none(void **state)
{
    (void)state;
    char bytes[256] = {0};
    struct record r = {.type = RECORD_OUTCOME, .id = 4, .outcomes = STR("some outcomes")};
    struct record got;
    assert_int_equal(record_read(str_from(bytes, sizeof bytes), 9, &got, NULL), RECORD_BAD);
    size_t len = write_record(&r, STR(""), 9, bytes);
    for (size_t n = 0; n < len; n++) {
        assert_int_equal(record_read(str_from(bytes, n), 9, &got, NULL), RECORD_SHORT);
    }
}

static void a_header_survives_the_loss_of_either_copy(void **state)
{
    (void)state;
    char bytes[SEGMENT_START];
    char cut[SEGMENT_START];
    struct segment_header h = {.in_use = true,
                               .generation = 12,
                               .nonce = 34,
                               .slot = 5,
                               .size = 65536,
                               .ends = {{11, 4096}, {10, 0}},
                               .end_count = 2};
    struct segment_header got;
    segment_header_write(&h, bytes);
    for (size_t half = 0; half < 2; half++) {
        memcpy(cut, bytes, sizeof cut);
        memset(cut + half * 2048, half ? 0 : 0x5a, 2048);
        assert_int_equal(segment_header_read(str_from(cut, sizeof cut), &got), HEADER_OK);
        assert_int_equal(got.generation, 12);
        assert_int_equal(got.end_count, 2);
        assert_int_equal(got.ends[0].end, 4096);
    }
    memset(cut, 0, sizeof cut);
    assert_int_equal(segment_header_read(str_from(cut, sizeof cut), &got), HEADER_BLANK);
    assert_int_equal(segment_header_read(str_from(cut, 0), &got), HEADER_BLANK);
    cut[9] = 1;
    assert_int_equal(segment_header_read(str_from(cut, sizeof cut), &got), HEADER_BAD);
}

static void of_two_copies_of_a_header_the_later_one_counts(void **state)
{
    (void)state;
    char old[SEGMENT_START];
    char new[SEGMENT_START];
    struct segment_header h = {.in_use = true, .generation = 12, .size = 65536};
    struct segment_header got;
    segment_header_write(&h, old);
    h.in_use = false;
    segment_header_write(&h, new);
    memcpy(old + 2048, new + 2048, 2048);
    assert_int_equal(segment_header_read(str_from(old, sizeof old), &got), HEADER_OK);
    assert_false(got.in_use);
    h.in_use = true;
    h.generation = 13;
    segment_header_write(&h, old);
    memcpy(new, old, 2048);
    assert_int_equal(segment_header_read(str_from(new, sizeof new), &got), HEADER_OK);
    assert_int_equal(got.generation, 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_read_back_as_it_was_written),
        cmocka_unit_test(a_record_of_another_generation_never_validates),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(a_record_cut_anywhere_is_short_and_zeros_are_none),
        cmocka_unit_test(a_header_survives_the_loss_of_either_copy),
        cmocka_unit_test(of_two_copies_of_a_header_the_later_one_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
