#include "cli/queue_print.h"

#include "cli/print.h"
#include "core/base/buf.h"
#include "path/queue/story_text.h"

enum { SHOWN = 3, FROM_WIDTH = 28 };

static struct str text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return str_from(json_string_value(value), json_string_length(value));
}

static int64_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void pad(FILE *to, size_t used, size_t width)
{
    (void)fprintf(to, "%*s", (int)(used < width ? width - used : 0) + 2, "");
}

/* A column: at least `width` wide, and two spaces. */
static void cell(FILE *to, struct str text, size_t width)
{
    size_t seen = 0;
    for (size_t i = 0; i < text.len; i++) {
        seen += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    }
    print_text(to, text, false);
    pad(to, seen, width);
}

/* "2.4 MiB": rounded, for reading. */
static void add_size(struct buf *out, int64_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    double value = (double)size;
    while (value >= 1024 && unit + 1 < ARRAY_LEN(units)) {
        value /= 1024;
        unit++;
    }
    buf_add_format(out, unit > 0 && value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static struct str sender_of(const json_t *item)
{
    struct str sender = text_of(item, "sender");
    return sender.len > 0 ? sender : STR("<>");
}

/* The newest trouble of a recipient that is not done. */
static struct str trouble(const json_t *item)
{
    const json_t *rcpts = json_object_get(item, "recipients");
    for (size_t i = 0; i < json_array_size(rcpts); i++) {
        const json_t *rcpt = json_array_get(rcpts, i);
        struct str text = text_of(json_object_get(rcpt, "last"), "text");
        if (text.len > 0 && !str_eq(text_of(rcpt, "state"), STR("final"))) {
            return text;
        }
    }
    return text_of(json_object_get(item, "waits"), "reason");
}

static void print_rcpts(FILE *to, const json_t *item)
{
    const json_t *rcpts = json_object_get(item, "recipients");
    size_t shown = 0;
    size_t left = 0;
    for (size_t i = 0; i < json_array_size(rcpts); i++) {
        const json_t *rcpt = json_array_get(rcpts, i);
        if (str_eq(text_of(rcpt, "state"), STR("final"))) {
            continue;
        }
        if (shown == SHOWN) {
            left++;
            continue;
        }
        (void)fputs(shown > 0 ? ", " : "", to);
        print_text(to, text_of(rcpt, "address"), false);
        shown++;
    }
    /* Of very many recipients the server tells only the first. */
    size_t untold = (size_t)number_of(item, "rcpt_count");
    untold = untold > json_array_size(rcpts) ? untold - json_array_size(rcpts) : 0;
    if (left + untold > 0) {
        (void)fprintf(to, " and %zu more", left + untold);
    }
}

void queue_print_head(FILE *to)
{
    (void)fprintf(to, "%-13s  %-14s  %-8s  %-7s  %-*s  %s\n", "ID", "AGE", "SIZE", "STATE",
                  FROM_WIDTH, "FROM", "TO");
}

void queue_print_row(FILE *to, const json_t *item)
{
    struct buf age = {0};
    struct buf size = {0};
    struct str why = trouble(item);
    struct str next = text_of(item, "next");
    story_span(&age, SPAN_S(number_of(item, "age_s")));
    add_size(&size, number_of(item, "size"));
    cell(to, text_of(item, "id"), 13);
    cell(to, buf_str(&age), 14);
    cell(to, buf_str(&size), 8);
    cell(to, text_of(item, "state"), 7);
    cell(to, sender_of(item), FROM_WIDTH);
    print_rcpts(to, item);
    (void)fputc('\n', to);
    if (why.len > 0) {
        (void)fputs("               last: ", to);
        print_text(to, why, false);
        (void)fputc('\n', to);
    }
    if (next.len > 0 && !str_eq(text_of(item, "state"), STR("held"))) {
        (void)fputs("               next attempt: ", to);
        print_text(to, next, false);
        (void)fputc('\n', to);
    }
    buf_done(&age);
    buf_done(&size);
}

static void line(FILE *to, const char *name, struct str text)
{
    if (text.len > 0) {
        (void)fprintf(to, "  %-14s ", name);
        print_text(to, text, false);
        (void)fputc('\n', to);
    }
}

static void print_rcpt(FILE *to, const json_t *rcpt)
{
    const json_t *last = json_object_get(rcpt, "last");
    (void)fputs("  to ", to);
    print_text(to, text_of(rcpt, "address"), false);
    (void)fputs(": ", to);
    print_text(to, json_is_object(last) ? text_of(last, "kind") : STR("not tried yet"), false);
    if (number_of(rcpt, "attempts") > 0) {
        (void)fprintf(to, ", %lld attempts", (long long)number_of(rcpt, "attempts"));
    }
    (void)fputc('\n', to);
    line(to, "    at", text_of(last, "at"));
    line(to, "    host", text_of(last, "host"));
    line(to, "    address", text_of(last, "peer"));
    line(to, "    reply", text_of(last, "text"));
    line(to, "    next", text_of(rcpt, "next"));
}

void queue_print_whole(FILE *to, const json_t *item)
{
    struct buf size = {0};
    const json_t *rcpts = json_object_get(item, "recipients");
    const json_t *waits = json_object_get(item, "waits");
    size_t count = (size_t)number_of(item, "rcpt_count");
    add_size(&size, number_of(item, "size"));
    (void)fputs("Message ", to);
    print_text(to, text_of(item, "id"), false);
    (void)fputc('\n', to);
    line(to, "from", sender_of(item));
    line(to, "arrived", text_of(item, "arrived"));
    line(to, "size", buf_str(&size));
    line(to, "state", text_of(item, "state"));
    line(to, "waits for", text_of(waits, "for"));
    line(to, "site", text_of(waits, "site"));
    line(to, "because", text_of(waits, "reason"));
    line(to, "next attempt", text_of(item, "next"));
    line(to, "given up", text_of(item, "give_up"));
    for (size_t i = 0; i < json_array_size(rcpts); i++) {
        print_rcpt(to, json_array_get(rcpts, i));
    }
    if (count > json_array_size(rcpts)) {
        (void)fprintf(to, "  and %zu recipients more\n", count - json_array_size(rcpts));
    }
    buf_done(&size);
}

void queue_print_status(FILE *to, const json_t *status)
{
    struct buf live = {0};
    struct buf unused = {0};
    add_size(&live, number_of(status, "spool_live"));
    add_size(&unused, number_of(status, "spool_free"));
    (void)fprintf(to, "%lld messages in the queue: %lld being worked on, %lld held\n",
                  (long long)number_of(status, "messages"), (long long)number_of(status, "active"),
                  (long long)number_of(status, "held"));
    (void)fprintf(to, "%lld sites known, %lld of them cannot be reached now\n",
                  (long long)number_of(status, "sites"),
                  (long long)number_of(status, "sites_down"));
    (void)fprintf(to, "%.*s queued in the spool, %.*s free for new mail\n", STR_ARG(buf_str(&live)),
                  STR_ARG(buf_str(&unused)));
    buf_done(&live);
    buf_done(&unused);
}
