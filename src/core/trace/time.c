/* time.c: dates that can be, and that follow each other. */
#include "core/trace/id_time.h"
#include "core/trace/judging.h"

enum {
    MINUTE = 60,
    HOUR = 3600,
    DAY = 86400,
    CLOCK_ERROR = 5 * MINUTE,  /* how far clocks that are looked after are apart */
    CLOCK_FAULT = 30 * MINUTE, /* …and those that nobody looks after */
    ZONE_MOST = 14 * HOUR,
    ZONE_ERROR = 2 * MINUTE,
    HALF_HOUR = HOUR / 2,
    ID_ERROR = 30 * MINUTE,  /* from an id made to a date written: a slow transfer */
    DELAY_ABSURD = 60 * DAY, /* no moderator of a list takes that long */
    DELAY_MOST = 6 * DAY,    /* servers give up after five (RFC 5321 4.5.4.1) */
    FAULT_WEIGHT = -40,
    ZONE_WEIGHT = -70,
    CLOCK_WEIGHT = -40,
};

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

/* "3 s", "5 min", "2 h", "4 days" */
static struct str span(struct judge *j, int64_t seconds)
{
    static const struct {
        int64_t unit;
        const char *name;
    } units[] = {{DAY, "days"}, {HOUR, "h"}, {MINUTE, "min"}};
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (seconds >= 2 * units[i].unit) {
            return arena_format(j->arena, "%lld %s", (long long)(seconds / units[i].unit),
                                units[i].name);
        }
    }
    return arena_format(j->arena, "%lld s", (long long)seconds);
}

/* Offsets that are, or within memory were, in use somewhere: whole hours, and these. */
static bool zone_exists(int minutes)
{
    static const int odd[] = {-570, -270, -210, -150, 210, 270, 330, 345,
                              390,  510,  525,  570,  630, 690, 765, 825};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        if (minutes == odd[i]) {
            return true;
        }
    }
    return minutes % 60 == 0;
}

static void judge_date(struct judge *j, size_t i)
{
    enum { ODD_ZONE_WEIGHT = -60, NEAR_FUTURE_WEIGHT = -20 };
    const struct received_date *date = &j->t->hops[i].received.date;
    if (!date->known) {
        if (!hop_is_transparent(&j->t->hops[i].received)) {
            judge_note(j, i, RULE_TIME_MISSING, STR("the line has no date that makes sense"));
        }
        return;
    }
    if (date->out_of_range) {
        judge_note(j, i, RULE_TIME_RANGE, STR("there is no such day or hour"));
    } else if (date->weekday_wrong) {
        judge_note(j, i, RULE_TIME_WEEKDAY, STR("the day of the week is not that date's"));
    }
    if (date->zone_absurd || (date->zone_known && !zone_exists(date->zone_minutes))) {
        judge_add(j, i, RULE_TIME_ZONE,
                  date->zone_absurd ? rules[RULE_TIME_ZONE].weight : ODD_ZONE_WEIGHT,
                  arena_format(j->arena, "no place keeps a time %d minutes from UTC",
                               date->zone_minutes));
    }
    int64_t ahead = date->seconds - j->now;
    if (j->now > 0 && ahead > HOUR) {
        struct str by = span(j, ahead);
        judge_add(j, i, RULE_TIME_FUTURE,
                  ahead > DAY ? rules[RULE_TIME_FUTURE].weight : NEAR_FUTURE_WEIGHT,
                  arena_format(j->arena, "dated %.*s in the future", STR_ARG(by)));
    }
}

/* How far the id's time is from the date; -1: it holds none. */
static int64_t id_distance(const struct received *r)
{
    struct id_time t = id_time_read(r);
    if (!t.known || !r->date.known) {
        return -1;
    }
    int64_t utc = distance(t.seconds, r->date.seconds);
    int64_t local = distance(t.seconds, r->date.seconds + (int64_t)r->date.zone_minutes * MINUTE);
    return t.local && local < utc ? local : utc;
}

static void judge_id(struct judge *j, size_t i)
{
    const struct received *r = &j->t->hops[i].received;
    int64_t off = id_distance(r);
    if (off < 0) {
        return;
    }
    if (off <= ID_ERROR) {
        judge_note(j, i, RULE_TIME_ID_CONFIRMED,
                   arena_format(j->arena, "the id %.*s was made at the time of the date",
                                STR_ARG(shown(r->id))));
        return;
    }
    struct str by = span(j, off);
    judge_note(j, i, RULE_TIME_ID,
               arena_format(j->arena, "the id %.*s was made %.*s from the date written",
                            STR_ARG(shown(r->id)), STR_ARG(by)));
}

static bool is_dated(const struct trace *t, size_t i)
{
    return t->hops[i].received.date.known && !t->hops[i].received.date.out_of_range;
}

static int64_t time_of(const struct trace *t, size_t i)
{
    return t->hops[i].received.date.seconds;
}

/* The time that stands next below a line: of a line, or of the author's Date. */
static bool time_below(const struct trace *t, size_t i, int64_t *time)
{
    for (size_t next = i + 1; next < t->hop_count; next++) {
        if (is_dated(t, next)) {
            *time = time_of(t, next);
            return true;
        }
    }
    for (size_t w = 0; w < t->witness_count; w++) {
        if (t->witnesses[w].kind == WITNESS_DATE && t->witnesses[w].date.known) {
            *time = t->witnesses[w].date.seconds;
            return true;
        }
    }
    return false;
}

enum wrong { WRONG_LOWER, WRONG_UPPER, WRONG_CLOCK };

/* Of two lines, the lower is dated later than the upper: which is wrong? The one without which the
 * rest is in order; where either could be, the lower, which more hands could have altered. Where
 * all that is below a trusted line is later than it, its own clock is. */
static enum wrong which_is_wrong(const struct trace *t, size_t above, size_t upper, size_t lower)
{
    int64_t below = 0;
    bool upper_id = id_distance(&t->hops[upper].received) > ID_ERROR;
    bool lower_id = id_distance(&t->hops[lower].received) > ID_ERROR;
    bool without_upper =
        above == TRACE_NONE || time_of(t, above) + CLOCK_ERROR >= time_of(t, lower);
    bool without_lower = !time_below(t, lower, &below) || below <= time_of(t, upper) + CLOCK_ERROR;
    if (t->hops[upper].trusted) {
        return without_lower || lower_id ? WRONG_LOWER : WRONG_CLOCK;
    }
    bool is_upper = upper_id != lower_id ? upper_id : without_upper && !without_lower;
    return is_upper ? WRONG_UPPER : WRONG_LOWER;
}

/* A clock that nobody looks after, or a zone set wrong, is honest; what the id confirms is. */
static int weight_of_order(const struct judge *j, size_t wrong, int64_t by)
{
    int64_t part = by % HALF_HOUR;
    bool zone = by <= ZONE_MOST && by > CLOCK_FAULT &&
                (part <= ZONE_ERROR || part >= HALF_HOUR - ZONE_ERROR);
    int64_t id = id_distance(&j->t->hops[wrong].received);
    if (id >= 0 && id <= ID_ERROR) {
        return CLOCK_WEIGHT;
    }
    return by <= CLOCK_FAULT ? FAULT_WEIGHT : zone ? ZONE_WEIGHT : rules[RULE_TIME_ORDER].weight;
}

static void note_order(struct judge *j, size_t wrong, int64_t by, bool early)
{
    struct str span_text = span(j, by);
    judge_add(j, wrong, RULE_TIME_ORDER, weight_of_order(j, wrong, by),
              arena_format(j->arena, "dated %.*s %s", STR_ARG(span_text),
                           early ? "before the line below it" : "after the line above it"));
}

static void judge_order(struct judge *j)
{
    struct trace *t = j->t;
    size_t above = TRACE_NONE, upper = TRACE_NONE; /* the last two that are in order */
    for (size_t i = 0; i < t->hop_count; i++) {
        if (!is_dated(t, i)) {
            continue;
        }
        int64_t by = upper == TRACE_NONE ? 0 : time_of(t, i) - time_of(t, upper);
        if (by <= CLOCK_ERROR || t->hops[i].trusted) {
            above = upper;
            upper = i;
            continue;
        }
        enum wrong wrong = which_is_wrong(t, above, upper, i);
        if (wrong == WRONG_CLOCK) {
            judge_add(j, i, RULE_TIME_ORDER, CLOCK_WEIGHT,
                      STR("dated after the trusted line above it, as all that follows is"));
        } else {
            note_order(j, wrong == WRONG_UPPER ? upper : i, by, wrong == WRONG_UPPER);
        }
        upper = wrong == WRONG_LOWER ? upper : i;
    }
}

static void judge_delay(struct judge *j, size_t i)
{
    enum { LONG_WEIGHT = -40 };
    const struct trace_hop *hop = &j->t->hops[i];
    if (hop->delay != TRACE_NO_DELAY && hop->delay > DELAY_MOST) {
        struct str time = span(j, hop->delay);
        judge_add(
            j, i + 1, RULE_TIME_DELAY,
            hop->delay > DELAY_ABSURD ? LONG_WEIGHT : rules[RULE_TIME_DELAY].weight,
            arena_format(j->arena, "lay %.*s until the line above was written", STR_ARG(time)));
    }
}

void judge_times(struct judge *j)
{
    for (size_t i = 0; i < j->t->hop_count; i++) {
        if (!j->t->hops[i].trusted) {
            judge_date(j, i);
            judge_id(j, i);
        }
        if (i + 1 < j->t->hop_count && !j->t->hops[i + 1].trusted) {
            judge_delay(j, i);
        }
    }
    judge_order(j);
}
