/* check.c: `postrider check`: every error of the configuration, with its place. */
#include "cli/options.h"
#include "cli/print.h"
#include "cli/verb.h"

#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

static void print_help(void)
{
    (void)printf("usage: postrider check [-c] [FILE] [--json]\n\n"
                 "Reads the configuration and the files it names, and prints everything that is "
                 "wrong in them\nwith file, line and column. Exit code 0: it can be used; 1: it "
                 "cannot.\n\n"
                 "example: postrider check postrider.yaml\n");
}

static json_t *json_text(struct str text)
{
    json_t *value = json_stringn(text.len ? text.ptr : "", text.len);
    return value ? value : json_string("(not UTF-8)");
}

static void print_json(const struct config_problems *problems, bool usable)
{
    json_t *list = json_array();
    for (size_t i = 0; i < problems->count; i++) {
        const struct config_problem *p = &problems->list[i];
        json_t *entry = json_object();
        json_object_set_new(entry, "file", json_text(p->place.file));
        json_object_set_new(entry, "line", json_integer(p->place.line));
        json_object_set_new(entry, "column", json_integer(p->place.column));
        json_object_set_new(entry, "severity", json_string(p->warning ? "warning" : "error"));
        json_object_set_new(entry, "text", json_text(p->text));
        json_array_append_new(list, entry);
    }
    json_t *all = json_object();
    json_object_set_new(all, "ok", json_boolean(usable));
    json_object_set_new(all, "problems", list);
    print_facts(all);
    json_decref(all);
}

int verb_check(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *file = NULL;
    bool json = false;
    for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            file = optarg;
            break;
        case 'j':
            json = true;
            break;
        case 'h':
            print_help();
            return EX_OK;
        default:
            return EX_USAGE;
        }
    }
    if (!file && optind < argc) {
        file = argv[optind++];
    }
    if (optind < argc) {
        (void)fprintf(stderr, "postrider check: one file at a time, not also \"%s\"\n",
                      argv[optind]);
        return EX_USAGE;
    }
    struct options_config source;
    struct config_problems problems = {0};
    struct config *config = NULL;
    options_find(&source, file);
    bool usable = options_load(&source, &config, &problems) == 0;
    if (json) {
        print_json(&problems, usable);
    } else {
        config_problems_print(&problems, stderr);
        (void)printf("%.*s: %s\n",
                     STR_ARG(source.file.len ? source.file : STR("the sandbox's configuration")),
                     usable ? "fine" : "cannot be used");
    }
    if (usable) {
        config_drop(config);
    }
    config_problems_done(&problems);
    options_done(&source);
    return usable ? EX_OK : 1;
}
