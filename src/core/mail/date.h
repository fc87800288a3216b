/* date.h: the date-time of Internet messages (RFC 5322 3.3, obsolete forms of 4.3 included). */
#pragma once

#include "core/base/buf.h"
#include "core/base/instant.h"

/* "Tue, 24 Nov 2026 07:15:30 +0000"; fractions of a second are dropped. Years 1 to 9999; an
 * instant beyond is printed as the nearest that is within. */
void date_format(struct buf *out, struct instant t);

/* A whole date-time, with comments, folding, a missing weekday or seconds, years of two or three
 * digits, and zones by name. A zone whose meaning is unknown ("-0000", military letters) counts as
 * UTC. The weekday is not checked against the date. `zone_minutes` (east is positive) may be null.
 * False: no date; nothing is then written. */
NODISCARD bool date_parse(struct str text, struct instant *t, int *zone_minutes);

/* The Internet date-time of RFC 3339 5.6, "2026-11-24T07:15:30Z". Read with any offset and any
 * fraction, which is dropped; a leap second counts as the next second. False: none; nothing is then
 * written. */
void date_format_internet(struct buf *out, struct instant t); /* the year has four digits */
NODISCARD bool date_parse_internet(struct str text, struct instant *t);

/* A day of the (proleptic) Gregorian calendar and a time in UTC. */
struct civil_time {
    int64_t year;
    unsigned month; /* 1 to 12 */
    unsigned day;   /* 1 to 31 */
    unsigned hour, minute, second;
    unsigned weekday; /* 0: Sunday */
};
struct civil_time civil_from_instant(struct instant t);
