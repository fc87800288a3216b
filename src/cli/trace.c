/* trace.c: `postrider trace`: what Received fields say. */
#include "cli/trace.h"
#include "cli/verb.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>

static void print_help(FILE *to)
{
    (void)fprintf(to,
                  "usage: postrider trace --received < FIELD\n\n"
                  "Reads one Received field, with or without its name, from standard input, and\n"
                  "prints what it says as a JSON object: from, helo, rdns, ip, by, with, id, for,\n"
                  "via, envfrom, ident, auth, tls, software, date (Unix seconds). What the field\n"
                  "does not say is left out.\n\n"
                  "example: postrider trace --received < field.txt\n");
}

int verb_trace(int argc, char **argv)
{
    static const struct option options[] = {
        {"received", no_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool received = false;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 'r':
            received = true;
            break;
        case 'h':
            print_help(stdout);
            return EX_OK;
        default:
            return EX_USAGE;
        }
    }
    if (!received || optind < argc) {
        print_help(stderr);
        return EX_USAGE;
    }
    return trace_received();
}
