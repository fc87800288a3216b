#include "cli/trace/words.h"

#include "core/mail/date.h"

const struct verdict_look *verdict_look(enum trace_verdict verdict)
{
    static const struct verdict_look looks[] = {
        [TRACE_PROVEN] = {"\xe2\x9c\x93", "+", "32", "every line of its way is proven"},
        [TRACE_CONSISTENT] = {"\xe2\x89\x88", "=", "36", "what its lines say agrees"},
        [TRACE_UNVERIFIABLE] = {"?", "?", "34", "nothing speaks for or against its lines"},
        [TRACE_SUSPECT] = {"!", "!", "33", "something in its lines does not fit"},
        [TRACE_FORGED] = {"\xe2\x9c\x97", "X", "1;31", "it lies about the way it came"},
    };
    return &looks[verdict];
}

void words_span(struct buf *out, int64_t seconds)
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    uint64_t left = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
    unsigned said = 0;
    if (left == 0) {
        buf_add(out, STR("0 s"));
    }
    buf_add(out, seconds < 0 ? STR("-") : STR(""));
    for (size_t i = 0; i < ARRAY_LEN(units) && said < 2; i++) {
        uint64_t n = left / units[i].seconds;
        left %= units[i].seconds;
        if (n > 0) {
            buf_add_format(out, "%s%llu %s", said > 0 ? " " : "", (unsigned long long)n,
                           units[i].name);
        }
        said += n > 0 || said > 0;
    }
}

unsigned words_bar(int64_t seconds)
{
    static const int64_t least[TRACE_BAR_MAX] = {1,   3,    10,    30,    120,
                                                 600, 3600, 21600, 86400, 604800};
    int64_t span = seconds == INT64_MIN ? INT64_MAX : seconds < 0 ? -seconds : seconds;
    unsigned cells = 0;
    while (cells < TRACE_BAR_MAX && span >= least[cells]) {
        cells++;
    }
    return cells;
}

void words_time(struct buf *out, int64_t seconds)
{
    /* What microseconds can hold, and four digits of a year. */
    static const int64_t end_of_9999 = 253402300799;
    int64_t bounded = seconds < 0 ? 0 : seconds > end_of_9999 ? end_of_9999 : seconds;
    struct civil_time c = civil_from_instant((struct instant){bounded * 1000000});
    buf_add_format(out, "%04d-%02u-%02u %02u:%02u:%02u UTC", (int)c.year, c.month, c.day, c.hour,
                   c.minute, c.second);
}

void words_host(struct buf *out, struct ip ip, struct str name)
{
    if (ip.family != IP_NONE) {
        ip_format(out, ip);
    }
    if (name.len > 0 && ip.family != IP_NONE) {
        buf_add_format(out, " (%.*s)", STR_ARG(name));
    } else if (name.len > 0) {
        buf_add(out, name);
    }
}

void words_client(struct buf *out, const struct received *r)
{
    struct str name = r->rdns.len > 0 ? r->rdns : r->helo.len > 0 ? r->helo : r->from;
    if (name.len == 0 && r->ip.family == IP_NONE) {
        buf_add(out, STR("somebody on the host itself"));
        return;
    }
    char ip[IP_TEXT_MAX];
    struct str address = r->ip.family != IP_NONE ? ip_text(r->ip, ip) : STR("");
    bool named = name.len > 0 && !str_eq(name, address);
    buf_add(out, named ? name : STR(""));
    if (address.len > 0) {
        buf_add_format(out, "%s[%.*s]", named ? " " : "", STR_ARG(address));
    }
    if (r->rdns.len > 0 && r->helo.len > 0 && !str_eq_nocase(r->rdns, r->helo)) {
        buf_add_format(out, ", called itself %.*s", STR_ARG(r->helo));
    }
}

void words_writer(struct buf *out, const struct received *r)
{
    buf_add(out, r->by.len > 0 ? r->by : STR("a host that does not name itself"));
}

void words_means(struct buf *out, const struct received *r)
{
    const struct str facts[] = {r->with, r->tls_version, r->software.name};
    bool any = false;
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        if (facts[i].len > 0) {
            buf_add(out, any ? STR(", ") : STR(""));
            buf_add(out, facts[i]);
            any = true;
        }
    }
}
