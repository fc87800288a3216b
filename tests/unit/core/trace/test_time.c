/* Dates that can be, that follow each other, and that the ids confirm. */
#include "judged.h"

#define DATED(date)                                                                                \
    JUDGED_TOP "Received: from pc (pc.elm.example [22.90.12.7]) by mail.alder.example (Postfix)\n" \
               "\twith ESMTP id 3A2B61C0D3; " date "\n\n"
#define WITH_ID(software, id)                                                                      \
    JUDGED_TOP "Received: from pc (pc.elm.example [22.90.12.7]) by mail.alder.example " software   \
               " id " id ";\n\tTue,  3 Mar 2020 09:15:28 +0000\n\n"
#define HOP(from, by, time)                                                                        \
    "Received: from " from " (" from " [22.90.12.7]) by " by " with ESMTP; " time "\n"

static void dates_that_cannot_be_are_seen(void **state)
{
    (void)state;
    static const struct judged_row rows[] = {
        {"right", DATED("Tue, 3 Mar 2020 09:15:28 +0000"), 1, "time-weekday", false},
        {"no day's name", DATED("3 Mar 2020 09:15:28 +0000"), 1, "time-weekday", false},
        {"the wrong day", DATED("Mon, 3 Mar 2020 09:15:28 +0000"), 1, "time-weekday", true},
        {"a 31st of February", DATED("Mon, 31 Feb 2020 09:15:28 +0000"), 1, "time-range", true},
        {"an hour 25", DATED("Tue, 3 Mar 2020 25:15:28 +0000"), 1, "time-range", true},
        {"a leap second", DATED("Tue, 3 Mar 2020 09:14:60 +0000"), 1, "time-range", false},
        {"India", DATED("Tue, 3 Mar 2020 14:45:28 +0530"), 1, "time-zone", false},
        {"Nepal", DATED("Tue, 3 Mar 2020 15:00:28 +0545"), 1, "time-zone", false},
        {"nowhere", DATED("Tue, 3 Mar 2020 10:25:28 +0110"), 1, "time-zone", true},
        {"beyond the date line", DATED("Wed, 4 Mar 2020 00:15:28 +1500"), 1, "time-zone", true},
        {"minutes over 59", DATED("Tue, 3 Mar 2020 09:15:28 +0075"), 1, "time-zone", true},
        {"no date", DATED("yesterday"), 1, "time-missing", true},
        {"a date", DATED("Tue, 3 Mar 2020 09:15:28 +0000"), 1, "time-missing", false},
        {"a week on the way", DATED("Mon, 24 Feb 2020 09:15:28 +0000"), 1, "time-delay", true},
        {"five days on the way", DATED("Thu, 27 Feb 2020 09:15:28 +0000"), 1, "time-delay", false},
        {"clocks apart", DATED("Tue, 3 Mar 2020 09:20:28 +0000"), 1, "time-order", false},
        {"later than the line above", DATED("Wed, 4 Mar 2020 09:37:28 +0000"), 1, "time-order",
         true},
    };
    judged_rows(rows, ARRAY_LEN(rows));
}

static int weight_of(const char *message, const char *rule)
{
    struct judged d;
    judged_read(&d, message);
    judged_top(&d);
    const struct trace_reason *reason = judged_reason(&d, 1, rule);
    int weight = reason ? reason->weight : 0;
    judged_done(&d);
    return weight;
}

static void a_clock_or_a_zone_set_wrong_is_suspect_a_date_of_another_day_is_forged(void **state)
{
    (void)state;
    assert_int_equal(weight_of(DATED("Tue, 3 Mar 2020 09:35:28 +0000"), "time-order"), -40);
    assert_int_equal(weight_of(DATED("Tue, 3 Mar 2020 11:15:28 +0000"), "time-order"), -70);
    assert_int_equal(weight_of(DATED("Tue, 3 Mar 2020 11:31:28 +0000"), "time-order"), -100);
    judged_forged(DATED("Thu, 5 Mar 2020 11:31:28 +0000"), 1);
}

static void of_two_lines_out_of_order_the_one_is_wrong_that_fits_nothing_else(void **state)
{
    (void)state;
    judged_forged(HOP("c.example", "d.example", "3 Mar 2020 09:15:30 +0000")
                      HOP("b.example", "c.example", "1 Mar 2020 01:08:29 +0000")
                          HOP("a.example", "b.example", "3 Mar 2020 09:15:28 +0000") "\n",
                  2); /* either could be: the lower has passed through more hands */
    judged_forged(HOP("c.example", "d.example", "3 Mar 2020 09:15:30 +0000")
                      HOP("b.example", "c.example", "1 Mar 2020 01:08:29 +0000")
                          HOP("a.example", "b.example", "3 Mar 2020 09:15:28 +0000")
                              HOP("pc.example", "a.example", "3 Mar 2020 09:15:27 +0000") "\n",
                  1);
    judged_forged(HOP("c.example", "d.example", "3 Mar 2020 09:15:30 +0000")
                      HOP("b.example", "c.example", "3 Mar 2020 09:15:29 +0000")
                          HOP("a.example", "b.example", "9 Mar 2020 07:08:28 +0000")
                              HOP("pc.example", "a.example", "3 Mar 2020 09:15:27 +0000") "\n",
                  2);
}

static void a_trusted_clock_that_differs_from_all_below_condemns_nobody(void **state)
{
    (void)state;
    judged_forged(HOP("c.example", "d.example", "1 Mar 2020 09:15:30 +0000")
                      HOP("b.example", "c.example", "3 Mar 2020 09:15:29 +0000")
                          HOP("a.example", "b.example", "3 Mar 2020 09:15:28 +0000") "\n",
                  TRACE_NONE);
}

static void the_future_is_told_by_the_present_alone(void **state)
{
    (void)state;
    static const struct trace_trust nobody = {0};
    struct judged d;
    judged_read(&d, DATED("Tue, 3 Mar 2020 09:15:28 +0000"));
    assert_true(trace_judge(&d.trace, &nobody, 1583226930 - 2 * 86400));
    assert_non_null(judged_reason(&d, 1, "time-future"));
    assert_true(trace_judge(&d.trace, &nobody, 1583226930));
    assert_null(judged_reason(&d, 1, "time-future"));
    assert_true(trace_judge(&d.trace, &nobody, 0));
    assert_null(judged_reason(&d, 1, "time-future"));
    judged_done(&d);
}

static void ids_tell_when_they_were_made(void **state)
{
    (void)state;
    static const struct judged_row rows[] = {
        {"Exim", WITH_ID("with esmtp (Exim 4.96)", "1j93eC-0004OR-WF"), 1, "time-id-confirmed",
         true},
        {"Exim, another year", WITH_ID("with esmtp (Exim 4.96)", "1kclTL-0007cU-2G"), 1, "time-id",
         true},
        {"Postfix", WITH_ID("(Postfix) with ESMTP", "48Wrvh1nJ4z9sPF"), 1, "time-id-confirmed",
         true},
        {"Postfix, another year", WITH_ID("(Postfix) with ESMTP", "4DZdb73vWHzDsNq"), 1, "time-id",
         true},
        {"Postfix, short", WITH_ID("(Postfix) with ESMTP", "3A2B61C0D3"), 1, "time-id", false},
        {"sendmail", WITH_ID("(8.15.2/8.15.2) with ESMTP", "0239FSxc018014"), 1,
         "time-id-confirmed", true},
        {"sendmail, local time", WITH_ID("(8.15.2/8.15.2) with ESMTP", "023AFSxc018014"), 1,
         "time-id", true},
        {"sendmail, another year", WITH_ID("(8.15.2/8.15.2) with ESMTP", "t0239FSc018014"), 1,
         "time-id", true},
        {"Courier", WITH_ID("with ESMTP", "000000000012A3B4.000000005E5E2030.00001C2D"), 1,
         "time-id-confirmed", true},
        {"Domino", WITH_ID("(Lotus Domino Release 8.5.3FP6) with ESMTP", "2020030309152812-34567"),
         1, "time-id-confirmed", true},
        {"Domino, another day",
         WITH_ID("(Lotus Domino Release 8.5.3FP6) with ESMTP", "2020030509152812-34567"), 1,
         "time-id", true},
    };
    judged_rows(rows, ARRAY_LEN(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_that_cannot_be_are_seen),
        cmocka_unit_test(a_clock_or_a_zone_set_wrong_is_suspect_a_date_of_another_day_is_forged),
        cmocka_unit_test(of_two_lines_out_of_order_the_one_is_wrong_that_fits_nothing_else),
        cmocka_unit_test(a_trusted_clock_that_differs_from_all_below_condemns_nobody),
        cmocka_unit_test(the_future_is_told_by_the_present_alone),
        cmocka_unit_test(ids_tell_when_they_were_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
