/* check.c: `postrider check`: every error of the configuration, with its place. */
#include "cli/check_security.h"
#include "cli/check_stores.h"
#include "cli/check_system.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/verb.h"

#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

static void print_help(void)
{
    (void)printf(
        "usage: postrider check [-c] [FILE] [--security] [--dns[=ADDR@PORT]] [--json]\n\n"
        "Reads the configuration and the files it names, and prints everything that is "
        "wrong in them\nwith file, line and column. Exit code 0: it can be used; 1: it "
        "cannot. Where users are kept\nis asked too; that it gives no answer now is a warning.\n\n"
        "  --security   also lists what is open to strangers, weak, or good to know: relaying,\n"
        "               passwords in the clear, keys, file modes, the fence; exit code 1 where\n"
        "               something is open\n"
        "  --dns        with it: asks the DNS too, for MX, SPF, DKIM, DMARC and the names of our\n"
        "               addresses; by default the configured servers\n\n"
        "example: postrider check --security --dns postrider.yaml\n");
}

struct checking {
    struct options_config source;
    const char *file;
    bool json, security, dns;
    struct str server; /* to ask; empty: the configured ones */
    struct findings findings;
};

static json_t *json_text(struct str text)
{
    json_t *value = json_stringn(text.len ? text.ptr : "", text.len);
    return value ? value : json_string("(not UTF-8)");
}

static void print_json(const struct checking *c, const struct config_problems *problems,
                       const struct config *config)
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
    json_object_set_new(all, "ok", json_boolean(config != NULL));
    json_object_set_new(all, "problems", list);
    if (config) {
        json_t *stores = json_array();
        check_stores(config, stores);
        json_object_set_new(all, "stores", stores);
    }
    if (c->security) {
        json_object_set_new(all, "findings", findings_json(&c->findings));
    }
    print_facts(all);
    json_decref(all);
}

static bool look_for_what_is_open(struct checking *c, struct config *config)
{
    check_security(&c->findings, &c->source, config);
    check_certificates(&c->findings, config);
    check_dkim_keys(&c->findings, config);
    if (!c->dns) {
        return true;
    }
    if (c->server.len > 0) {
        config->dns_servers = &c->server;
        config->dns_server_count = 1;
    }
    return check_records(&c->findings, config);
}

static int check(struct checking *c)
{
    struct config_problems problems = {0};
    struct config *config = NULL;
    options_find(&c->source, c->file);
    bool loaded = options_load(&c->source, &config, &problems) == 0;
    bool usable = loaded && check_dkim_files(&problems, config, c->source.file) &&
                  check_system_users(&problems, config, c->source.file);
    bool fine = usable && check_configured_files(&problems, config, c->source.file);
    int code = fine ? EX_OK : 1;
    if (usable && c->security && !look_for_what_is_open(c, config)) {
        code = EX_OSERR;
    }
    if (c->json) {
        print_json(c, &problems, usable ? config : NULL);
    } else {
        struct str file = c->source.file;
        config_problems_print(&problems, stderr);
        if (usable) {
            check_stores(config, NULL);
        }
        (void)printf("%.*s: %s\n", STR_ARG(file.len ? file : STR("the sandbox's configuration")),
                     fine ? "fine" : "cannot be used");
    }
    if (usable && c->security && !c->json) {
        findings_print(&c->findings);
    }
    if (c->findings.counts[FINDING_OPEN] > 0) {
        code = 1;
    }
    if (loaded) {
        config_drop(config);
    }
    findings_done(&c->findings);
    config_problems_done(&problems);
    options_done(&c->source);
    return code;
}

int verb_check(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"json", no_argument, NULL, 'j'},
        {"security", no_argument, NULL, 's'},     {"dns", optional_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},         {0}};
    struct checking checking = {0};
    for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            checking.file = optarg;
            break;
        case 'j':
            checking.json = true;
            break;
        case 's':
            checking.security = true;
            break;
        case 'd':
            checking.dns = true;
            checking.server = optarg ? str_from_cstr(optarg) : STR("");
            break;
        case 'h':
            print_help();
            return EX_OK;
        default:
            return EX_USAGE;
        }
    }
    if (!checking.file && optind < argc) {
        checking.file = argv[optind++];
    }
    if (optind < argc) {
        (void)fprintf(stderr, "postrider check: one file at a time, not also \"%s\"\n",
                      argv[optind]);
        return EX_USAGE;
    }
    if (checking.dns && !checking.security) {
        (void)fprintf(stderr, "postrider check: --dns goes with --security\n");
        return EX_USAGE;
    }
    return check(&checking);
}
