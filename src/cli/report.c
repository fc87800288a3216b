/* report.c: `postrider report tls`: what a report about TLS says that another domain sent. */
#include "cli/print.h"
#include "cli/verb.h"
#include "tlsrpt/read.h"
#include "world/whole_file.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

static void print_help(FILE *to)
{
    (void)fprintf(to, "usage: postrider report tls FILE [--json]\n\n"
                      "Prints a received report about TLS (RFC 8460): who reports, and for each "
                      "policy how many\nsessions were private and what failed in the others. FILE "
                      "is the JSON, that compressed by\ngzip, or the whole mail; - is standard "
                      "input. Exit code 65: it is no report.\n\n"
                      "example: postrider report tls < report.eml -\n");
}

static void print_member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    print_text(stdout, str_from(json_string_value(value), json_string_length(value)), false);
}

static void print_list(const char *title, const json_t *list)
{
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        (void)printf("%s", i == 0 ? title : ", ");
        print_text(stdout, str_from(json_string_value(one), json_string_length(one)), false);
    }
    (void)printf("%s", json_array_size(list) > 0 ? "\n" : "");
}

static void print_optional(const json_t *object, const char *before, const char *key)
{
    if (json_string_length(json_object_get(object, key)) > 0) {
        (void)printf("%s", before);
        print_member(object, key);
    }
}

static void print_detail(const json_t *detail)
{
    (void)printf("  %lld failed: ",
                 (long long)json_integer_value(json_object_get(detail, "count")));
    print_member(detail, "result");
    print_optional(detail, ", at ", "receiving_host");
    print_optional(detail, " [", "receiving_ip");
    print_optional(detail,
                   json_string_length(json_object_get(detail, "receiving_ip")) ? "], from "
                                                                               : ", from ",
                   "sending_ip");
    print_optional(detail, ": ", "code");
    print_optional(detail, " ", "information");
    (void)printf("\n");
}

static void print_policy(const json_t *policy)
{
    size_t i;
    json_t *detail;
    (void)printf("\n");
    print_member(policy, "domain");
    (void)printf(", policy ");
    print_member(policy, "type");
    (void)printf(": %lld sessions succeeded, %lld failed\n",
                 (long long)json_integer_value(json_object_get(policy, "successes")),
                 (long long)json_integer_value(json_object_get(policy, "failures")));
    print_list("  policy: ", json_object_get(policy, "policy"));
    print_list("  hosts: ", json_object_get(policy, "mx"));
    json_array_foreach(json_object_get(policy, "details"), i, detail)
    {
        print_detail(detail);
    }
}

static void print_report(const json_t *report)
{
    size_t i;
    json_t *policy;
    long long left_out = json_integer_value(json_object_get(report, "left_out"));
    print_member(report, "organization");
    (void)printf(" reports on ");
    print_member(report, "from");
    (void)printf(" to ");
    print_member(report, "to");
    (void)printf("\ncontact: ");
    print_member(report, "contact");
    (void)printf("\nreport: ");
    print_member(report, "id");
    (void)printf("\n");
    json_array_foreach(json_object_get(report, "policies"), i, policy)
    {
        print_policy(policy);
    }
    if (left_out > 0) {
        (void)printf("\n%lld further entries are left out.\n", left_out);
    }
}

static int read_input(struct buf *bytes, const char *name)
{
    char piece[65536];
    struct file_stamp stamp;
    if (strcmp(name, "-") != 0) {
        return whole_file_read(name, bytes, &stamp);
    }
    for (size_t n;
         bytes->len <= TLSRPT_BYTES_MAX && (n = fread(piece, 1, sizeof piece, stdin)) > 0;) {
        buf_add(bytes, str_from(piece, n));
    }
    return ferror(stdin) ? -EIO : bytes->failed ? -ENOMEM : 0;
}

static int report_tls(const char *name, bool json)
{
    struct buf bytes = {0};
    const char *reason = NULL;
    json_t *report = NULL;
    int error = read_input(&bytes, name);
    int code = EX_OK;
    if (error != 0) {
        (void)fprintf(stderr, "postrider report: %s: %s\n", name, strerror(-error));
        code = EX_NOINPUT;
    } else if (!(report = tlsrpt_read(buf_str(&bytes), &reason))) {
        (void)fprintf(stderr, "postrider report: %s: %s\n", name, reason);
        code = EX_DATAERR;
    } else if (json) {
        print_facts(report);
    } else {
        print_report(report);
    }
    json_decref(report);
    buf_done(&bytes);
    return code;
}

int verb_report(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool json = false;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 'j':
            json = true;
            break;
        case 'h':
            print_help(stdout);
            return EX_OK;
        default:
            return EX_USAGE;
        }
    }
    if (argc - optind != 2 || strcmp(argv[optind], "tls") != 0) {
        print_help(stderr);
        return EX_USAGE;
    }
    return report_tls(argv[optind + 1], json);
}
