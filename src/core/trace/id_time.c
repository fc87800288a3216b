#include "core/trace/id_time.h"

#include "core/mail/queue_id.h"

#define BASE62 "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define BASE52 "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
#define BASE16 "0123456789abcdef"

enum { FIRST_SECOND = 315532800 }; /* 1980: older is a clock that was not set */
enum { US_PER_SECOND = 1000000, QUEUE_ID_LOOP_BITS = 8 };

/* A number; false where a character is none. */
static bool digits(struct str text, struct str alphabet, int64_t *value)
{
    enum { DIGITS_MAX = 10 };
    int64_t n = 0;
    if (text.len == 0 || text.len > DIGITS_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        size_t digit = str_find(alphabet, text.ptr[i]);
        if (digit == STR_NONE) {
            return false;
        }
        n = n * (int64_t)alphabet.len + (int64_t)digit;
    }
    *value = n;
    return true;
}

static struct str part(struct str text, size_t from, size_t count)
{
    return str_head(str_tail(text, from), count);
}

/* "1pABcD-000Xyz-2k": seconds in base 62. */
static struct id_time exim(struct str id)
{
    struct id_time t = {0};
    t.known = id.len >= 16 && id.ptr[6] == '-' && digits(part(id, 0, 6), STR(BASE62), &t.seconds);
    return t;
}

/* "3xk2Jq1Zz9z2xyz": seconds and microseconds without vowels, "z", the inode. */
static struct id_time postfix(struct str id)
{
    struct id_time t = {0};
    int64_t us = 0;
    t.known = id.len > 11 && id.ptr[10] == 'z' && digits(part(id, 0, 6), STR(BASE52), &t.seconds) &&
              digits(part(id, 6, 4), STR(BASE52), &us) && us < US_PER_SECOND;
    return t;
}

/* Days since 1970 and the time of the day. */
static int64_t seconds_of(const int64_t ymdhms[6])
{
    int64_t y = ymdhms[0] - (ymdhms[1] <= 2), m = ymdhms[1] + (ymdhms[1] > 2 ? -3 : 9);
    int64_t days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + ymdhms[2] - 1 - 719468;
    return days * 86400 + ymdhms[3] * 3600 + ymdhms[4] * 60 + ymdhms[5];
}

static bool is_date(const int64_t ymdhms[6])
{
    static const int64_t least[] = {1970, 1, 1, 0, 0, 0}, most[] = {2100, 12, 31, 23, 59, 60};
    for (size_t i = 0; i < ARRAY_LEN(least); i++) {
        if (ymdhms[i] < least[i] || ymdhms[i] > most[i]) {
            return false;
        }
    }
    return true;
}

/* "q0A1B2C3004567": year, month, day, hour, minute, second, each a digit of base 60. */
static struct id_time sendmail(struct str id)
{
    struct id_time t = {.local = true};
    int64_t at[6];
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        if (!digits(part(id, i, 1), str_head(STR(BASE62), 60), &at[i])) {
            return (struct id_time){0};
        }
    }
    at[0] += at[0] < 40 ? 2020 : 1960; /* of a year modulo 60: 1960 + 40 = 2000 */
    at[1] += 1;
    t.known = id.len >= 12 && is_date(at);
    t.seconds = t.known ? seconds_of(at) : 0;
    return t;
}

/* "…123.2022.10.11.12.13.14", of the zone of the date. */
static struct id_time gmail(struct str id)
{
    struct id_time t = {.local = true};
    int64_t at[6];
    for (size_t i = ARRAY_LEN(at); i-- > 0;) {
        size_t dot = str_rfind(id, '.');
        if (dot == STR_NONE || !digits(str_tail(id, dot + 1), STR("0123456789"), &at[i])) {
            return (struct id_time){0};
        }
        id = str_head(id, dot);
    }
    t.known = is_date(at);
    t.seconds = t.known ? seconds_of(at) : 0;
    return t;
}

/* "2014051607080912-34567", of the zone of the date. */
static struct id_time domino(struct str id)
{
    static const size_t lengths[] = {4, 2, 2, 2, 2, 2};
    struct id_time t = {.local = true};
    int64_t at[6];
    for (size_t i = 0, from = 0; i < ARRAY_LEN(at); from += lengths[i++]) {
        if (!digits(part(id, from, lengths[i]), STR("0123456789"), &at[i])) {
            return (struct id_time){0};
        }
    }
    t.known = is_date(at);
    t.seconds = t.known ? seconds_of(at) : 0;
    return t;
}

/* "000000000012A3B4.000000004678F1E2.00001C2D": the second part is the time. */
static struct id_time courier(struct str id)
{
    struct id_time t = {0};
    (void)str_split(&id, '.');
    struct str time = str_split(&id, '.');
    char lower[16];
    if (time.len < 8 || time.len > sizeof lower) {
        return t;
    }
    for (size_t i = 0; i < time.len; i++) {
        lower[i] = ascii_lower(time.ptr[i]);
    }
    t.known = digits(str_from(lower + time.len - 8, 8), STR(BASE16), &t.seconds);
    return t;
}

static struct id_time postrider(struct str id)
{
    struct queue_id parsed;
    struct id_time t = {.known = queue_id_parse(id, &parsed)};
    t.seconds = t.known ? (int64_t)((parsed.value >> QUEUE_ID_LOOP_BITS) / US_PER_SECOND) : 0;
    return t;
}

struct id_time id_time_read(const struct received *r)
{
    static const struct {
        struct str software;
        struct id_time (*read)(struct str id);
    } readers[] = {
        {STR_INIT("Exim"), exim},           {STR_INIT("Postfix"), postfix},
        {STR_INIT("Sendmail"), sendmail},   {STR_INIT("Gmail"), gmail},
        {STR_INIT("Domino"), domino},       {STR_INIT("Courier"), courier},
        {STR_INIT("Postrider"), postrider},
    };
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        if (str_eq(r->software.name, readers[i].software)) {
            struct id_time t = readers[i].read(r->id);
            t.known = t.known && t.seconds >= FIRST_SECOND;
            return t;
        }
    }
    return (struct id_time){0};
}
