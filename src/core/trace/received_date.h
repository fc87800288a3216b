/* received_date.h: the date of a Received field, in any of the forms that mail servers write
 * (RFC 5322 3.3 and 4.3, asctime, date(1), fractions, two-digit years). */
#pragma once

#include "core/base/str.h"

struct received_date {
    bool known;
    int64_t seconds;  /* since 1970-01-01 UTC; a zone that is not said or not known counts as UTC */
    int zone_minutes; /* east of Greenwich */
    bool zone_known;
    bool zone_absurd; /* beyond -1200..+1400, or minutes over 59 */
    bool weekday_said;
    bool weekday_wrong; /* it is not that date's */
    bool out_of_range;  /* a 31st of June, an hour 25 */
};

/* `text` may have comments, words before and after. False: no date in it (`known` is false). */
bool received_date_parse(struct str text, struct received_date *date);
