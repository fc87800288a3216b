#include "cli/queue_print.h"

#include "cli/print.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void print_rest(const json_t *item)
{
    json_int_t all = json_integer_value(json_object_get(item, "rcpt_count"));
    json_int_t shown = (json_int_t)json_array_size(json_object_get(item, "recipients"));
    if (all > shown) {
        (void)printf("    and %lld more recipients\n", (long long)(all - shown));
    }
}

static void print_rcpt(const json_t *rcpt, bool whole)
{
    const json_t *last = json_object_get(rcpt, "last");
    const char *text = text_of(last, "text");
    bool final = strcmp(text_of(rcpt, "state"), "final") == 0;
    if (final && !whole) {
        return;
    }
    (void)printf("    to ");
    print_text(stdout, str_from_cstr(text_of(rcpt, "address")), false);
    if (strcmp(text_of(rcpt, "state"), "pending") != 0) {
        (void)printf(" (%s)", final ? text_of(last, "kind") : text_of(rcpt, "state"));
    }
    (void)printf("%s", *text ? ": " : "");
    print_text(stdout, str_from_cstr(text), false);
    (void)printf("\n");
    if (whole && json_is_object(last)) {
        (void)printf("      last tried %s%s", text_of(last, "at"),
                     *text_of(last, "host") ? " at " : "");
        print_text(stdout, str_from_cstr(text_of(last, "host")), false);
        (void)printf("%s%s%s\n", *text_of(last, "peer") ? " [" : "", text_of(last, "peer"),
                     *text_of(last, "peer") ? "]" : "");
    }
}

static void print_deadline(const json_t *by)
{
    if (json_is_object(by)) {
        bool back = strcmp(text_of(by, "else"), "return") == 0;
        (void)printf("    wanted by %s, else %s\n", text_of(by, "until"),
                     back ? "returned" : "its sender is told");
    }
}

/* A number with the unit in which it is easily read; right-aligned in 9 columns. */
struct unit {
    json_int_t below; /* the first unit whose limit is greater is taken */
    json_int_t size;
    const char *name;
};

static void print_amount(json_int_t n, const struct unit *units)
{
    while (units->below > 0 && n >= units->below) {
        units++;
    }
    (void)printf("  %5lld %-3s", (long long)(n / units->size), units->name);
}

static const struct unit ages[] = {
    {120, 1, "s"}, {7200, 60, "min"}, {172800, 3600, "h"}, {0, 86400, "d"}};
static const struct unit sizes[] = {
    {10000, 1, "B"}, {10000 << 10, 1 << 10, "KiB"}, {0, 1 << 20, "MiB"}};

void queue_print_heading(void)
{
    (void)printf("%-13s  %-7s  %9s  %9s  %-20s  %s\n", "ID", "STATE", "AGE      ", "SIZE     ",
                 "NEXT ATTEMPT", "SENDER");
}

void queue_print_item(const json_t *item, bool whole)
{
    const char *sender = text_of(item, "sender");
    const char *next = text_of(item, "next");
    size_t i;
    json_t *rcpt;
    (void)printf("%-13s  %-7s", text_of(item, "id"), text_of(item, "state"));
    print_amount(json_integer_value(json_object_get(item, "age_s")), ages);
    print_amount(json_integer_value(json_object_get(item, "size")), sizes);
    (void)printf("  %-20s  ", *next ? next : "-");
    print_text(stdout, *sender ? str_from_cstr(sender) : STR("<>"), false);
    (void)printf("\n");
    json_array_foreach(json_object_get(item, "recipients"), i, rcpt)
    {
        print_rcpt(rcpt, whole);
    }
    print_rest(item);
    print_deadline(json_object_get(item, "deliver_by"));
    if (whole && *text_of(item, "give_up")) {
        (void)printf("    given up %s\n", text_of(item, "give_up"));
    }
}
