/* main.c: which verb is meant. Each verb is a file beside this one. */
#include "cli/verb.h"
#include "core/base/str.h"
#include "world/system.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct verb verbs[] = {
    {"serve", verb_serve, "run the server; without a configuration, the sandbox"},
    {"check", verb_check, "read the configuration and report every error in it"},
    {"send", verb_send, "submit a message from standard input (also as `sendmail`)"},
    {"queue", verb_queue, "look into the queue and steer it"},
    {"why", verb_why, "tell a message's whole story"},
    {"route", verb_route, "show the way from an address to the host to connect to"},
    {"trace", verb_trace, "tell where a message came from, and which Received lines to believe"},
    {"verify", verb_verify, "tell who answers for a message: SPF, DKIM, ARC, DMARC"},
    {"report", verb_report, "tell what a report says that another domain sent"},
    {"dkim", verb_dkim, "make keys that sign mail, and show their records for the DNS"},
    {"user", verb_user, "keep the file of those who may log in"},
};

/* Names under which the program may be installed, and the verb that each stands for. */
static const struct verb names[] = {
    {"sendmail", verb_send, ""},
    {"mailq", verb_send, ""},
    {"newaliases", verb_send, ""},
};

static void print_help(FILE *to)
{
    (void)fprintf(to, "postrider: a mail transfer agent\n\nusage: postrider VERB [options]\n\n");
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        (void)fprintf(to, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
    }
    (void)fprintf(to, "\n`postrider VERB --help` says more of each, with an example.\n"
                      "`postrider --version` prints the version.\n");
}

static const struct verb *find(const struct verb *table, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    (void)system_prepare();
    const struct verb *verb = find(names, ARRAY_LEN(names), argc > 0 ? basename(argv[0]) : "");
    if (verb) {
        return verb->run(argc, argv);
    }
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(argc < 2 ? stderr : stdout);
        return argc < 2 ? EX_USAGE : EX_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("postrider %s\n", POSTRIDER_VERSION);
        return EX_OK;
    }
    verb = find(verbs, ARRAY_LEN(verbs), argv[1]);
    if (!verb) {
        (void)fprintf(stderr, "postrider: there is no verb \"%s\"\n\n", argv[1]);
        print_help(stderr);
        return EX_USAGE;
    }
    char name[64]; /* as which getopt complains */
    (void)snprintf(name, sizeof name, "postrider %s", verb->name);
    argv[1] = name;
    return verb->run(argc - 1, argv + 1);
}
