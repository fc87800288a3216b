/* What Received fields say: tests/data/received/forms.txt, forms that servers write, checked by
 * hand; and what no server writes. */
#include "core/trace/received.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ROWS_MAX = 400, EXPECTED_MAX = 16 };

struct row {
    struct str value;
    struct {
        struct str key, value;
    } expected[EXPECTED_MAX];
    size_t count;
};

static char *file_read(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = malloc(1 << 20);
    assert_non_null(text);
    *len = fread(text, 1, 1 << 20, file);
    assert_true(*len < 1 << 20);
    (void)fclose(file);
    return text;
}

static size_t rows_read(struct str text, struct row rows[ROWS_MAX])
{
    size_t count = 0;
    struct row row = {0};
    while (text.len > 0) {
        struct str line = str_split(&text, '\n');
        if (line.len == 0 && row.count > 0) {
            assert_true(count < ROWS_MAX);
            rows[count++] = row;
            row = (struct row){0};
        } else if (str_starts(line, STR("= "))) {
            struct str rest = str_tail(line, 2);
            assert_true(row.count < EXPECTED_MAX);
            row.expected[row.count].key = str_split(&rest, ':');
            row.expected[row.count++].value = str_tail(rest, 1);
        } else if (line.len > 0 && (line.ptr[0] != '#' || row.value.len > 0)) {
            const char *start = row.value.len > 0 ? row.value.ptr : line.ptr;
            row.value = str_from(start, (size_t)(line.ptr + line.len - start));
        }
    }
    if (row.count > 0) {
        assert_true(count < ROWS_MAX);
        rows[count++] = row;
    }
    return count;
}

static struct str field(const struct received *r, struct str key, char space[64])
{
    const struct {
        const char *key;
        struct str text;
    } texts[] = {
        {"from", r->from},
        {"helo", r->helo},
        {"rdns", r->rdns},
        {"by", r->by},
        {"with", r->with},
        {"id", r->id},
        {"for", r->recipient},
        {"via", r->via},
        {"envfrom", r->envelope_from},
        {"ident", r->ident},
        {"auth", r->auth},
        {"version", r->tls_version},
        {"cipher", r->tls_cipher},
        {"software", r->software.name},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (str_eq(key, str_from_cstr(texts[i].key))) {
            return texts[i].text;
        }
    }
    if (str_eq(key, STR("ip"))) {
        return r->ip.family == IP_NONE ? STR("") : ip_text(r->ip, space);
    }
    assert_true(str_eq(key, STR("date")));
    (void)snprintf(space, 64, "%lld", (long long)r->date.seconds);
    return r->date.known ? str_from_cstr(space) : STR("");
}

static size_t misses(const struct row *row, struct str value)
{
    size_t missed = 0;
    struct received r;
    received_parse(value, &r);
    for (size_t i = 0; i < row->count; i++) {
        char space[64];
        struct str want = row->expected[i].value;
        struct str got = field(&r, row->expected[i].key, space);
        want = str_eq(want, STR("-")) ? STR("") : want;
        if (!str_eq(want, got)) {
            print_error("%.*s: want \"%.*s\", got \"%.*s\" in\n%.*s\n",
                        STR_ARG(row->expected[i].key), STR_ARG(want), STR_ARG(got), STR_ARG(value));
            missed++;
        }
    }
    return missed;
}

static void the_forms_that_servers_write_are_understood_folded_or_not(void **state)
{
    (void)state;
    static struct row rows[ROWS_MAX];
    size_t len = 0, missed = 0, fields = 0;
    char *text = file_read(SOURCE_DIR "/tests/data/received/forms.txt", &len);
    size_t count = rows_read(str_from(text, len), rows);
    for (size_t i = 0; i < count; i++) {
        char *flat = malloc(rows[i].value.len);
        assert_non_null(flat);
        for (size_t at = 0; at < rows[i].value.len; at++) {
            flat[at] = rows[i].value.ptr[at] == '\n' ? ' ' : rows[i].value.ptr[at];
        }
        missed += misses(&rows[i], rows[i].value);
        missed += misses(&rows[i], str_from(flat, rows[i].value.len));
        fields += rows[i].count;
        free(flat);
    }
    print_message("%zu lines, %zu fields\n", count, fields);
    assert_true(count >= 150);
    assert_int_equal(missed, 0);
    free(text);
}

static void every_cut_of_every_form_is_read_and_stays_inside(void **state)
{
    (void)state;
    static struct row rows[ROWS_MAX];
    size_t len = 0;
    char *text = file_read(SOURCE_DIR "/tests/data/received/forms.txt", &len);
    size_t count = rows_read(str_from(text, len), rows);
    for (size_t i = 0; i < count; i += 3) {
        for (size_t cut = 0; cut <= rows[i].value.len; cut++) {
            struct received r;
            char *copy = malloc(cut + 1);
            assert_non_null(copy);
            memcpy(copy, rows[i].value.ptr, cut);
            received_parse(str_from(copy, cut), &r);
            assert_true(r.from.len == 0 ||
                        (r.from.ptr >= copy && r.from.ptr + r.from.len <= copy + cut));
            assert_true(r.id.len == 0 || (r.id.ptr >= copy && r.id.ptr + r.id.len <= copy + cut));
            free(copy);
        }
    }
    free(text);
}

/* Seconds of processor time to read `size` octets made of `piece`. */
static double time_of(const char *piece, size_t size)
{
    size_t len = strlen(piece);
    char *text = malloc(size);
    assert_non_null(text);
    for (size_t i = 0; i < size; i++) {
        text[i] = piece[i % len];
    }
    clock_t start = clock();
    struct received r;
    received_parse(str_from(text, size), &r);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    free(text);
    return seconds;
}

static void time_grows_no_faster_than_length(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "(",
        ")",
        "[",
        "<",
        "\"",
        "from ",
        "by ",
        "(a ",
        "a[",
        "\\(",
        ";",
        "; ",
        "((a) ",
        "from a (",
        "with         ",
        "(8.",
        "(TLS: ",
        "with\t",
        "id a;",
        "(HELO ",
        "=",
        "x=[",
        "1:",
        "\xff",
        " ",
        "from a (b [1.2.3.4]) by c (Postfix) with SMTP id d; ",
        "for <",
        "(envelope-from <",
    };
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        double small = time_of(pieces[i], 20000), large = time_of(pieces[i], 400000);
        /* 20 times the length; 6 times that is noise, 20 times that would be a square. */
        if (large > 120 * small && large > 0.5) {
            print_error("\"%s\": %f s for 20 kB, %f s for 400 kB\n", pieces[i], small, large);
            fail();
        }
        assert_true(large < 10);
    }
}

static void an_octet_over_255_makes_no_address(void **state)
{
    (void)state;
    struct received r;
    received_parse(STR("from a (b.example [192.0.2.255]) by c.example"), &r);
    assert_int_equal(r.ip.family, IP_V4);
    assert_false(r.bad_ip);
    received_parse(STR("from a (b.example [192.0.2.256]) by c.example"), &r);
    assert_int_equal(r.ip.family, IP_NONE);
    assert_true(r.bad_ip);
}

static void a_date_is_read_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"Wed, 01 Jan 2020 00:00:00 +0000", 1577836800},
        {"1 Jan 2020 00:00:00 GMT", 1577836800},
        {"1 Jan 20 00:00 UT", 1577836800},
        {"31 Dec 49 23:59:59 -0000", 2524607999},
        {"1 Jan 50 00:00:00 -0000", -631152000},
        {"Wed Jan  1 00:00:00 2020", 1577836800},
        {"Wed Jan 1 00:00:00 2020 +0100", 1577833200},
        {"Wed Jan  1 01:00:00 CET 2020", 1577836800},
        {"Tue, 31 Dec 2019 16:00:00 -0800 (PST)", 1577836800},
        {"Tue, 31 Dec 2019 16:00:00 PST", 1577836800},
        {"Wed (a), 1 (b (c)) Jan 2020 (d) 00:00:00 (e) +0000 (f)", 1577836800},
        {"Wednesday, 1 January 2020 00:00:00 Z", 1577836800},
        {"Wed, 1-Jan-2020 05:30:00 +0530", 1577836800},
        {"2020-01-01T00:00:00Z", 1577836800},
        {"2020-01-01 00:00:00.123456 +0000 UTC", 1577836800},
        {"Wed, 1 Jan 2020 00:00:00.999 +0000", 1577836800},
        {"Thu, 29 Feb 2024 12:00:00 +0000", 1709208000},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct received_date date;
        if (!received_date_parse(str_from_cstr(rows[i].text), &date) ||
            date.seconds != rows[i].seconds) {
            print_error("%s: %lld\n", rows[i].text, (long long)date.seconds);
            fail();
        }
    }
    static const char *const none[] = {
        "", "+0000", "yesterday", "12:00:00", "1 Jan 2020", "2020-13-01 00:00:00", "32"};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        struct received_date date;
        assert_false(received_date_parse(str_from_cstr(none[i]), &date));
        assert_false(date.known);
    }
}

static void a_date_that_cannot_be_is_told(void **state)
{
    (void)state;
    struct received_date date;
    assert_true(received_date_parse(STR("Thu, 1 Jan 2020 00:00:00 +1400"), &date));
    assert_true(date.weekday_wrong);
    assert_false(date.zone_absurd);
    assert_true(received_date_parse(STR("Wed, 1 Jan 2020 00:00:00 +1401"), &date));
    assert_false(date.weekday_wrong);
    assert_true(date.zone_absurd);
    assert_true(received_date_parse(STR("29 Feb 2023 00:00:00 +0060"), &date));
    assert_true(date.out_of_range);
    assert_true(date.zone_absurd);
    assert_true(received_date_parse(STR("29 Feb 2024 24:00:00 +0000"), &date));
    assert_true(date.out_of_range);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_forms_that_servers_write_are_understood_folded_or_not),
        cmocka_unit_test(every_cut_of_every_form_is_read_and_stays_inside),
        cmocka_unit_test(time_grows_no_faster_than_length),
        cmocka_unit_test(an_octet_over_255_makes_no_address),
        cmocka_unit_test(a_date_is_read_in_every_form),
        cmocka_unit_test(a_date_that_cannot_be_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
