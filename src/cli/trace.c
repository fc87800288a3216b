/* trace.c: `postrider trace`: where a message came from, and which of its Received fields to
 * believe. */
#include "cli/options.h"
#include "cli/trace/judge.h"
#include "cli/trace/one_field.h"
#include "cli/verb.h"

#include <stdio.h>
#include <sysexits.h>

static void print_help(FILE *to)
{
    (void)fprintf(
        to,
        "usage: postrider trace [FILE|ID] [--json] [--html FILE] [--trust X]... [--offline]\n"
        "                       [--dns ADDR@PORT] [--trust-anchor FILE] [-c FILE]\n"
        "       postrider trace --all [FILE|FOLDER] [--json] ...\n"
        "       postrider trace --received < FIELD\n\n"
        "Tells where a message truly came from: every server on the way adds a Received line on\n"
        "top, and a forger writes false ones below. Each line is called proven, consistent,\n"
        "unverifiable, suspect or forged, and why; the first one not to be believed and the\n"
        "address where the message entered are named.\n\n"
        "FILE: a message, or an mbox (its first message). None, or -: standard input.\n"
        "ID: of a message in the queue of the running server.\n\n"
        "  --trust X       whose lines are believed: a host (mx.example.org), all hosts of a\n"
        "                  domain (.example.org), a network (192.0.2.0/24); several times. "
        "Without\n"
        "                  a host or domain: the top line, as written where the message lies\n"
        "  --offline       asks no DNS; says which rules were left out for that\n"
        "  --json          everything, as JSON (its schema: trace.schema.json)\n"
        "  --html FILE     the same as a page, with the route as a picture\n"
        "  --all           every message of an mbox, a Maildir or a folder: a line each\n"
        "                  (with --json: JSON Lines)\n"
        "  --received      reads one Received field, with or without its name, from standard\n"
        "                  input, and prints what it says as a JSON object: from, helo, rdns, ip,\n"
        "                  by, with, id, for, via, envfrom, ident, auth, tls, software, date "
        "(Unix\n"
        "                  seconds); what the field does not say is left out\n\n"
        "Exit code 0: judged, whatever the verdict; 64: wrong use; 65: this is no message; 66: no\n"
        "such file or message in the queue; 73: the page cannot be written.\n\n"
        "example: postrider trace suspicious.eml --trust .example.org\n");
}

static int judge(const struct trace_options *options)
{
    struct options_config source = {0};
    struct config *config = NULL;
    int code = EX_CONFIG;
    if (!trace_needs_config(options)) {
        return trace_judge_messages(options, NULL);
    }
    config = options_config(&source, options->config);
    if (config) {
        code = trace_judge_messages(options, config);
    }
    config_drop(config);
    options_done(&source);
    return code;
}

int verb_trace(int argc, char **argv)
{
    struct trace_options options;
    int code = trace_options_take(&options, argc, argv);
    if (code < 0 && options.help) {
        print_help(stdout);
        code = EX_OK;
    } else if (code < 0) {
        code = options.received ? trace_one_field() : judge(&options);
    }
    trace_options_done(&options);
    return code;
}
