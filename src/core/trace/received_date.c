#include "core/trace/received_date.h"

/* What has been found so far; numbers are -1 until then. */
struct reading {
    int day, month, year, hour, minute, second, weekday;
    struct received_date *date;
};

/* Of names of three letters each, in a row: which one the word begins with, or -1. */
static int index_of(struct str word, struct str names)
{
    for (size_t at = 0; at + 3 <= names.len && word.len >= 3; at += 3) {
        if (str_eq_nocase(str_head(word, 3), str_head(str_tail(names, at), 3))) {
            return (int)(at / 3);
        }
    }
    return -1;
}

static int number(struct str word)
{
    uint64_t n = 0;
    return str_to_u64(word, 9999, &n) ? (int)n : -1;
}

/* RFC 5322 4.3, and names that servers write besides; as hours and minutes. */
static bool named_zone(struct str word, int *minutes)
{
    static const struct {
        struct str name;
        int minutes;
    } zones[] = {
        {STR_INIT("UT"), 0},     {STR_INIT("UTC"), 0},     {STR_INIT("GMT"), 0},
        {STR_INIT("Z"), 0},      {STR_INIT("WET"), 0},     {STR_INIT("EST"), -300},
        {STR_INIT("EDT"), -240}, {STR_INIT("CST"), -360},  {STR_INIT("CDT"), -300},
        {STR_INIT("MST"), -420}, {STR_INIT("MDT"), -360},  {STR_INIT("PST"), -480},
        {STR_INIT("PDT"), -420}, {STR_INIT("AKST"), -540}, {STR_INIT("AKDT"), -480},
        {STR_INIT("HST"), -600}, {STR_INIT("BST"), 60},    {STR_INIT("WEST"), 60},
        {STR_INIT("CET"), 60},   {STR_INIT("MET"), 60},    {STR_INIT("CEST"), 120},
        {STR_INIT("MEST"), 120}, {STR_INIT("EET"), 120},   {STR_INIT("EEST"), 180},
        {STR_INIT("MSK"), 180},  {STR_INIT("JST"), 540},   {STR_INIT("KST"), 540},
        {STR_INIT("AEST"), 600}, {STR_INIT("AEDT"), 660},  {STR_INIT("NZST"), 720},
        {STR_INIT("NZDT"), 780},
    };
    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        if (str_eq_nocase(word, zones[i].name)) {
            *minutes = zones[i].minutes;
            return true;
        }
    }
    return false;
}

/* "+0200", "+02:00", "GMT+0200", "UTC+2": as hours times 100 and minutes. */
static bool offset_of(struct str word, bool *west, int *value)
{
    bool named = str_starts_nocase(word, STR("GMT")) || str_starts_nocase(word, STR("UTC"));
    word = named ? str_tail(word, 3) : word;
    if (word.len < 2 || (word.ptr[0] != '+' && word.ptr[0] != '-')) {
        return false;
    }
    struct str digits = str_tail(word, 1);
    *west = word.ptr[0] == '-';
    if (digits.len == 5 && digits.ptr[2] == ':') {
        int hours = number(str_head(digits, 2)), minutes = number(str_tail(digits, 3));
        *value = hours < 0 || minutes < 0 ? -1 : hours * 100 + minutes;
    } else if (digits.len == 4) {
        *value = number(digits);
    } else {
        *value = named && digits.len <= 2 ? number(digits) * 100 : -1;
    }
    return *value >= 0;
}

static void take_offset(struct received_date *date, bool west, int value)
{
    int hours = value / 100, minutes = value % 100;
    date->zone_known = true;
    date->zone_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
    date->zone_absurd = minutes > 59 || date->zone_minutes < -720 || date->zone_minutes > 840;
}

/* "hh:mm", "hh:mm:ss", "hh:mm:ss.fff", "hh.mm.ss" is not seen. */
static bool take_time(struct reading *t, struct str word)
{
    if (t->hour >= 0 || str_find(word, ':') == STR_NONE) {
        return false;
    }
    struct str rest = word;
    int hour = number(str_split(&rest, ':'));
    int minute = number(str_split(&rest, ':'));
    struct str seconds = str_split(&rest, '.');
    size_t comma = str_find(seconds, ',');
    seconds = comma == STR_NONE ? seconds : str_head(seconds, comma);
    int second = seconds.len == 0 ? 0 : number(seconds);
    if (hour < 0 || minute < 0 || second < 0) {
        return false;
    }
    t->hour = hour;
    t->minute = minute;
    t->second = second;
    return true;
}

static void take_number(struct reading *t, struct str word)
{
    int n = number(word);
    if (n < 0) {
        return;
    }
    if (t->day < 0 && word.len <= 2) {
        t->day = n;
    } else if (t->year < 0 && (word.len == 4 || (t->month >= 0 && word.len <= 3))) {
        /* RFC 5322 4.3: 00 to 49 are of this century, 50 to 99 and three digits after 1900. */
        t->year = word.len == 4 ? n : word.len == 2 && n < 50 ? 2000 + n : 1900 + n;
    }
}

/* "2017-11-27", "2017-11-27T01:02:03Z" (ISO 8601) */
static bool take_iso(struct reading *t, struct str word)
{
    if (word.len < 10 || word.ptr[4] != '-' || word.ptr[7] != '-' || t->year >= 0) {
        return false;
    }
    int year = number(str_head(word, 4));
    int month = number(str_from(word.ptr + 5, 2)), day = number(str_from(word.ptr + 8, 2));
    if (year < 0 || month < 1 || month > 12 || day < 0) {
        return false;
    }
    t->year = year;
    t->month = month - 1;
    t->day = day;
    struct str time = str_tail(word, 11);
    size_t zone = 0;
    while (zone < time.len &&
           (ascii_is_digit(time.ptr[zone]) || time.ptr[zone] == ':' || time.ptr[zone] == '.')) {
        zone++;
    }
    if (word.len > 11 && take_time(t, str_head(time, zone))) {
        t->date->zone_known = zone < time.len && ascii_upper(time.ptr[zone]) == 'Z';
    }
    return true;
}

/* "07/18/2020": the month first, unless it cannot be. */
static bool take_slashes(struct reading *t, struct str word)
{
    struct str rest = word;
    int month = number(str_split(&rest, '/')), day = number(str_split(&rest, '/'));
    int year = number(rest);
    if (month < 0 || day < 0 || year < 1000 || t->year >= 0) {
        return false;
    }
    bool day_first = month > 12;
    t->month = (day_first ? day : month) - 1;
    t->day = day_first ? month : day;
    t->year = year;
    if (t->month < 0 || t->month > 11) {
        t->month = -1;
    }
    return true;
}

/* "1:10:11 PM" */
static bool take_half(struct reading *t, struct str word)
{
    bool after = str_eq_nocase(word, STR("PM"));
    if (t->hour < 1 || t->hour > 12 || (!after && !str_eq_nocase(word, STR("AM")))) {
        return false;
    }
    t->hour = t->hour % 12 + (after ? 12 : 0);
    return true;
}

/* "17:40:44-0500": a zone glued to the time. STR_NONE: none is. */
static size_t zone_in(struct str word)
{
    size_t colon = str_find(word, ':');
    for (size_t i = colon; colon != STR_NONE && ascii_is_digit(word.ptr[0]) && i < word.len; i++) {
        if (word.ptr[i] == '+' || word.ptr[i] == '-') {
            return i;
        }
    }
    return STR_NONE;
}

static void take_word(struct reading *t, struct str word)
{
    static const struct str months = STR_INIT("JanFebMarAprMayJunJulAugSepOctNovDec");
    static const struct str weekdays = STR_INIT("SunMonTueWedThuFriSat");
    struct received_date *date = t->date;
    int minutes = 0, offset = 0;
    bool west = false;
    if (offset_of(word, &west, &offset)) {
        if (!date->zone_known || t->hour >= 0) {
            take_offset(date, west, offset);
        }
    } else if (take_iso(t, word) || take_slashes(t, word) || take_time(t, word) ||
               take_half(t, word)) {
        return;
    } else if (t->month < 0 && word.len <= 9 && index_of(word, months) >= 0) {
        t->month = index_of(word, months);
    } else if (t->weekday < 0 && word.len <= 9 && index_of(word, weekdays) >= 0) {
        t->weekday = index_of(word, weekdays);
    } else if (t->hour >= 0 && !date->zone_known && named_zone(word, &minutes)) {
        date->zone_known = true;
        date->zone_minutes = minutes;
    } else {
        take_number(t, word);
    }
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar. */
static int64_t days(int year, int month, int day)
{
    int64_t y = year - (month < 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month < 2 ? 10 : -2)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int month_length(int year, int month)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return lengths[month] + (month == 1 && leap);
}

static bool settle(const struct reading *t)
{
    struct received_date *date = t->date;
    if (t->day < 0 || t->month < 0 || t->year < 0 || t->hour < 0) {
        return false;
    }
    int64_t day = days(t->year, t->month, t->day);
    date->known = true;
    date->out_of_range = t->day < 1 || t->day > month_length(t->year, t->month) || t->hour > 23 ||
                         t->minute > 59 || t->second > 60;
    date->weekday_said = t->weekday >= 0;
    date->weekday_wrong = t->weekday >= 0 && ((day % 7 + 7) % 7 + 4) % 7 != t->weekday;
    date->seconds = day * 86400 + (int64_t)t->hour * 3600 + (int64_t)t->minute * 60 + t->second -
                    (int64_t)date->zone_minutes * 60;
    return true;
}

static bool parts_a_word(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == '(' || c == ')' ||
           c == ';' || c == '"';
}

bool received_date_parse(struct str text, struct received_date *date)
{
    *date = (struct received_date){0};
    struct reading t = {-1, -1, -1, -1, -1, -1, -1, date};
    size_t start = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && !parts_a_word(text.ptr[i])) {
            /* "12-Mar-2003" */
            bool dash = text.ptr[i] == '-' && i > start && i + 1 < text.len &&
                        (ascii_is_alpha(text.ptr[i + 1]) || ascii_is_alpha(text.ptr[i - 1]));
            if (!dash) {
                continue;
            }
        }
        if (i > start) {
            struct str word = str_from(text.ptr + start, i - start);
            size_t zone = zone_in(word);
            take_word(&t, zone == STR_NONE ? word : str_head(word, zone));
            if (zone != STR_NONE) {
                take_word(&t, str_tail(word, zone));
            }
        }
        start = i + 1;
    }
    return settle(&t);
}
