#include "core/mail/date.h"

#include "core/mail/cfws.h"

static const char weekdays[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

enum { SECONDS_A_DAY = 86400 };

/* Days since 1970-01-01, by eras of 400 years that begin on the first of March, so that the leap
 * day is the last of its year. */
static int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t shifted_month = month > 2 ? (int64_t)month - 3 : (int64_t)month + 9;
    int64_t day_of_year = (153 * shifted_month + 2) / 5 + (int64_t)day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, struct civil_time *c)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    c->day = (unsigned)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    c->month = (unsigned)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    c->year = year_of_era + era * 400 + (c->month <= 2 ? 1 : 0);
}

struct civil_time civil_from_instant(struct instant t)
{
    struct civil_time c = {0};
    int64_t seconds = t.us / 1000000 - (t.us % 1000000 < 0 ? 1 : 0);
    int64_t days = seconds / SECONDS_A_DAY - (seconds % SECONDS_A_DAY < 0 ? 1 : 0);
    unsigned second_of_day = (unsigned)(seconds - days * SECONDS_A_DAY);
    civil_from_days(days, &c);
    c.hour = second_of_day / 3600;
    c.minute = second_of_day / 60 % 60;
    c.second = second_of_day % 60;
    c.weekday = (unsigned)(((days + 4) % 7 + 7) % 7);
    return c;
}

void date_format(struct buf *out, struct instant t)
{
    int64_t first = days_from_civil(1, 1, 1) * SECONDS_A_DAY * 1000000;
    int64_t last = days_from_civil(10000, 1, 1) * SECONDS_A_DAY * 1000000 - 1;
    t.us = t.us < first ? first : t.us > last ? last : t.us;
    struct civil_time c = civil_from_instant(t);
    buf_add(out, str_from(weekdays + (size_t)c.weekday * 3, 3));
    buf_add(out, STR(", "));
    buf_add_u64(out, c.day);
    buf_join(out, STR(" "), str_from(months + (size_t)(c.month - 1) * 3, 3), STR(" "));
    buf_add_digits(out, (uint64_t)c.year, 4);
    buf_add_char(out, ' ');
    buf_add_digits(out, c.hour, 2);
    buf_add_char(out, ':');
    buf_add_digits(out, c.minute, 2);
    buf_add_char(out, ':');
    buf_add_digits(out, c.second, 2);
    buf_add(out, STR(" +0000"));
}

/* The place of a name of three letters in a table, or a failure. */
static unsigned scan_name(struct scan *sc, struct str table)
{
    struct str name = scan_take(sc, 3);
    for (size_t i = 0; scan_ok(sc) && i < table.len; i += 3) {
        if (str_eq_nocase(name, str_from(table.ptr + i, 3))) {
            return (unsigned)(i / 3);
        }
    }
    scan_fail(sc);
    return 0;
}

static unsigned scan_number(struct scan *sc, size_t digits_min, size_t digits_max, uint64_t max)
{
    struct str digits = scan_while1(sc, ascii_is_digit);
    uint64_t value = 0;
    if (digits.len < digits_min || digits.len > digits_max || !str_to_u64(digits, max, &value)) {
        scan_fail(sc);
    }
    return (unsigned)value;
}

/* RFC 5322 4.3: two digits are 1950 to 2049, three count from 1900. */
static int64_t scan_year(struct scan *sc)
{
    size_t before = sc->rest.len;
    int64_t year = scan_number(sc, 2, 4, 9999);
    size_t digits = before - sc->rest.len;
    if (digits == 2) {
        return year < 50 ? year + 2000 : year + 1900;
    }
    return digits == 3 ? year + 1900 : year;
}

static unsigned month_length(int64_t year, unsigned month)
{
    static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return lengths[month - 1] + (month == 2 && leap ? 1 : 0);
}

static void scan_day_month_year(struct scan *sc, struct civil_time *c)
{
    if (ascii_is_alpha(scan_peek(sc))) {
        scan_name(sc, str_from_cstr(weekdays));
        scan_cfws(sc);
        scan_try_char(sc, ',');
        scan_cfws(sc);
    }
    c->day = scan_number(sc, 1, 2, 31);
    scan_cfws(sc);
    c->month = scan_name(sc, str_from_cstr(months)) + 1;
    scan_cfws(sc);
    c->year = scan_year(sc);
    scan_cfws(sc);
    if (c->day == 0 || c->day > month_length(c->year, c->month)) {
        scan_fail(sc);
    }
}

static void scan_time_of_day(struct scan *sc, struct civil_time *c)
{
    c->hour = scan_number(sc, 1, 2, 23);
    scan_cfws(sc);
    scan_char(sc, ':');
    scan_cfws(sc);
    c->minute = scan_number(sc, 2, 2, 59);
    scan_cfws(sc);
    if (scan_try_char(sc, ':')) {
        scan_cfws(sc);
        c->second = scan_number(sc, 2, 2, 60);
        scan_cfws(sc);
    }
}

static int scan_named_zone(struct scan *sc)
{
    static const struct {
        struct str name;
        int hours;
    } zones[] = {
        {STR_INIT("EST"), -5}, {STR_INIT("EDT"), -4}, {STR_INIT("CST"), -6}, {STR_INIT("CDT"), -5},
        {STR_INIT("MST"), -7}, {STR_INIT("MDT"), -6}, {STR_INIT("PST"), -8}, {STR_INIT("PDT"), -7},
    };
    struct str name = scan_while1(sc, ascii_is_alpha);
    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        if (str_eq_nocase(name, zones[i].name)) {
            return zones[i].hours * 60;
        }
    }
    return 0;
}

static int scan_zone(struct scan *sc)
{
    bool west = scan_peek(sc) == '-';
    if (!west && scan_peek(sc) != '+') {
        return scan_named_zone(sc);
    }
    scan_take(sc, 1);
    unsigned digits = scan_number(sc, 4, 4, 9999);
    if (digits % 100 > 59) {
        scan_fail(sc);
    }
    int minutes = (int)(digits / 100 * 60 + digits % 100);
    return west ? -minutes : minutes;
}

static struct instant instant_from_civil(const struct civil_time *c, int zone)
{
    int64_t seconds = days_from_civil(c->year, c->month, c->day) * SECONDS_A_DAY +
                      (int64_t)c->hour * 3600 + ((int64_t)c->minute - zone) * 60 +
                      (int64_t)c->second;
    return (struct instant){seconds * 1000000};
}

bool date_parse(struct str text, struct instant *t, int *zone_minutes)
{
    struct scan sc = {.rest = text};
    struct civil_time c = {0};
    scan_cfws(&sc);
    scan_day_month_year(&sc, &c);
    scan_time_of_day(&sc, &c);
    int zone = scan_zone(&sc);
    scan_cfws(&sc);
    if (!scan_done(&sc)) {
        return false;
    }
    *t = instant_from_civil(&c, zone);
    if (zone_minutes) {
        *zone_minutes = zone;
    }
    return true;
}

void date_format_internet(struct buf *out, struct instant t)
{
    struct civil_time c = civil_from_instant(t);
    buf_add_format(out, "%04d-%02u-%02uT%02u:%02u:%02uZ", (int)c.year, c.month, c.day, c.hour,
                   c.minute, c.second);
}

static void scan_calendar_day(struct scan *sc, struct civil_time *c)
{
    c->year = scan_number(sc, 4, 4, 9999);
    scan_char(sc, '-');
    c->month = scan_number(sc, 2, 2, 12);
    scan_char(sc, '-');
    c->day = scan_number(sc, 2, 2, 31);
    if (c->year == 0 || c->month == 0 || c->day == 0 || c->day > month_length(c->year, c->month)) {
        scan_fail(sc);
    }
}

static void scan_clock_time(struct scan *sc, struct civil_time *c)
{
    c->hour = scan_number(sc, 2, 2, 23);
    scan_char(sc, ':');
    c->minute = scan_number(sc, 2, 2, 59);
    scan_char(sc, ':');
    c->second = scan_number(sc, 2, 2, 60);
    if (scan_try_char(sc, '.')) {
        (void)scan_while1(sc, ascii_is_digit);
    }
}

static int scan_offset(struct scan *sc)
{
    if (scan_try_char(sc, 'Z') || scan_try_char(sc, 'z')) {
        return 0;
    }
    bool west = scan_try_char(sc, '-');
    if (!west) {
        scan_char(sc, '+');
    }
    unsigned hours = scan_number(sc, 2, 2, 23);
    scan_char(sc, ':');
    int minutes = (int)(hours * 60 + scan_number(sc, 2, 2, 59));
    return west ? -minutes : minutes;
}

bool date_parse_internet(struct str text, struct instant *t)
{
    struct scan sc = {.rest = text};
    struct civil_time c = {0};
    scan_calendar_day(&sc, &c);
    if (!scan_try_char(&sc, 'T')) {
        scan_char(&sc, 't');
    }
    scan_clock_time(&sc, &c);
    int zone = scan_offset(&sc);
    if (!scan_done(&sc)) {
        return false;
    }
    *t = instant_from_civil(&c, zone);
    return true;
}
