/* queue.c: `postrider queue`: looks into the queue of the running server and steers it. */
#include "cli/queue.h"

#include "cli/options.h"
#include "cli/print.h"
#include "cli/verb.h"
#include "config/units.h"
#include "control/client.h"
#include "core/mail/queue_id.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct asking {
    const char *action; /* as the user wrote it: list, show, retry, … */
    bool json;
    bool any; /* a selector, or --all, was given */
    json_t *selector;
    json_t *items; /* --json */
    size_t shown;
    int code;
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
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
        (void)printf("\n");
    }
}

static void print_age(const json_t *item)
{
    json_int_t s = json_integer_value(json_object_get(item, "age_s"));
    (void)printf(s < 120      ? "%3lld s  "
                 : s < 7200   ? "%3lld min"
                 : s < 172800 ? "%3lld h  "
                              : "%3lld d  ",
                 (long long)(s < 120      ? s
                             : s < 7200   ? s / 60
                             : s < 172800 ? s / 3600
                                          : s / 86400));
}

static void print_item(struct asking *a, const json_t *item)
{
    bool whole = strcmp(a->action, "show") == 0;
    const char *sender = text_of(item, "sender");
    const char *next = text_of(item, "next");
    size_t i;
    json_t *rcpt;
    (void)printf("%s  %-7s  ", text_of(item, "id"), text_of(item, "state"));
    print_age(item);
    (void)printf("  %9lld octets  from ",
                 (long long)json_integer_value(json_object_get(item, "size")));
    print_text(stdout, *sender ? str_from_cstr(sender) : STR("<>"), false);
    (void)printf("\n");
    json_array_foreach(json_object_get(item, "recipients"), i, rcpt)
    {
        print_rcpt(rcpt, whole);
    }
    if (*next) {
        (void)printf("    next attempt %s%s%s\n", next, whole ? ", given up " : "",
                     whole ? text_of(item, "give_up") : "");
    }
}

static void print_summary(struct asking *a, const json_t *done)
{
    long long matched = json_integer_value(json_object_get(done, "matched"));
    long long changed = json_integer_value(json_object_get(done, "changed"));
    bool looks = strcmp(a->action, "list") == 0 || strcmp(a->action, "show") == 0;
    if (looks && matched == 0) {
        (void)printf("%s\n", a->any ? "nothing in the queue is like that" : "the queue is empty");
    } else if (looks) {
        (void)printf("%lld message%s%s\n", matched, matched == 1 ? "" : "s",
                     json_is_true(json_object_get(done, "more")) ? ", and more" : "");
    } else {
        (void)printf("%s: %lld of %lld message%s\n", a->action, changed, matched,
                     matched == 1 ? "" : "s");
    }
    a->code = matched == 0 && a->any ? EX_NOINPUT : EX_OK;
}

static void on_line(void *owner, const json_t *line)
{
    struct asking *a = owner;
    const json_t *item = json_object_get(line, "item");
    const json_t *done = json_object_get(line, "done");
    const char *refused = text_of(done, "refused");
    const char *error = text_of(done, "error");
    if (*refused || *error) {
        (void)fprintf(stderr, "postrider queue: %s\n", *refused ? refused : error);
        a->code = *refused ? EX_USAGE : EX_IOERR;
        return;
    }
    if (a->json && item) {
        json_array_append(a->items, (json_t *)(uintptr_t)item);
    } else if (a->json && done) {
        json_t *all = json_deep_copy(done);
        json_object_set(all, "messages", a->items);
        (void)json_dumpf(all, stdout, JSON_INDENT(2));
        (void)printf("\n");
        json_decref(all);
        a->code = EX_OK;
    } else if (item) {
        print_item(a, item);
    } else if (done) {
        print_summary(a, done);
    }
}

/* Takes the selector over. */
static int ask_server(const struct config *config, struct asking *a)
{
    bool show = strcmp(a->action, "show") == 0;
    json_t *question = json_object();
    json_object_set_new(question, "verb", json_string("queue"));
    json_object_set_new(question, "action", json_string(show ? "list" : a->action));
    json_object_set_new(question, "selector", a->selector);
    a->items = json_array();
    struct control_ask ask = {
        .path = config->control_path, .question = question, .line = on_line, .owner = a};
    int code = control_ask(&ask);
    json_decref(a->items);
    return code != EX_OK ? code : a->code;
}

int queue_print(const struct config *config)
{
    struct asking a = {.action = "list", .selector = json_object()};
    return ask_server(config, &a);
}

int queue_retry_all(const struct config *config)
{
    struct asking a = {.action = "retry", .any = false, .selector = json_object()};
    return ask_server(config, &a);
}

static void print_help(void)
{
    (void)printf(
        "usage: postrider queue [list|show|retry|hold|release|remove|bounce] [SELECTOR] [--json]\n"
        "                       [-c FILE]\n\n"
        "Looks into the queue of the running server and steers it.\n\n"
        "  list      every message and what it waits for (the default)\n"
        "  show      the same with every recipient's last attempt\n"
        "  retry     try now, whatever the schedule says\n"
        "  hold      do not try until released\n"
        "  release   try again what was held\n"
        "  remove    forget it and tell nobody\n"
        "  bounce    give up now and tell the sender\n\n"
        "SELECTOR: message ids, recipients (with an @), or\n"
        "  --sender ADDRESS  --recipient ADDRESS  --domain DOMAIN  --site TEXT  --error TEXT\n"
        "  --older TIME (1h30m)  --held  --all\n"
        "All that is given must hold. What changes the queue needs one; --all is everything.\n\n"
        "example: postrider queue bounce --domain example.net --older 1d\n");
}

enum {
    OPT_JSON = 256,
    OPT_SENDER,
    OPT_RCPT,
    OPT_DOMAIN,
    OPT_SITE,
    OPT_ERROR,
    OPT_OLDER,
    OPT_HELD,
    OPT_ALL
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},
    {"json", no_argument, NULL, OPT_JSON},
    {"sender", required_argument, NULL, OPT_SENDER},
    {"recipient", required_argument, NULL, OPT_RCPT},
    {"domain", required_argument, NULL, OPT_DOMAIN},
    {"site", required_argument, NULL, OPT_SITE},
    {"error", required_argument, NULL, OPT_ERROR},
    {"older", required_argument, NULL, OPT_OLDER},
    {"held", no_argument, NULL, OPT_HELD},
    {"all", no_argument, NULL, OPT_ALL},
    {0},
};

static bool select_text(struct asking *a, const char *name, const char *text)
{
    json_t *value = json_string(text);
    if (!value || json_object_get(a->selector, name)) {
        (void)fprintf(stderr, "postrider queue: only one %s at a time\n", name);
        json_decref(value);
        return false;
    }
    json_object_set_new(a->selector, name, value);
    a->any = true;
    return true;
}

static bool select_older(struct asking *a, const char *text)
{
    struct span span;
    if (!text_span(str_from_cstr(text), &span)) {
        (void)fprintf(stderr, "postrider queue: --older wants a time like 1h30m, not \"%s\"\n",
                      text);
        return false;
    }
    json_object_set_new(a->selector, "older_us", json_integer(span.us));
    a->any = true;
    return true;
}

static bool take_option(struct asking *a, int option)
{
    switch (option) {
    case OPT_JSON:
        a->json = true;
        return true;
    case OPT_SENDER:
        return select_text(a, "sender", optarg);
    case OPT_RCPT:
        return select_text(a, "recipient", optarg);
    case OPT_DOMAIN:
        return select_text(a, "domain", optarg);
    case OPT_SITE:
        return select_text(a, "site", optarg);
    case OPT_ERROR:
        return select_text(a, "error", optarg);
    case OPT_OLDER:
        return select_older(a, optarg);
    case OPT_HELD:
        json_object_set_new(a->selector, "states", json_integer(4));
        a->any = true;
        return true;
    case OPT_ALL:
        a->any = true;
        return true;
    default:
        return false;
    }
}

static bool is_action(const char *word)
{
    static const char *const actions[] = {"list",    "show",   "retry", "hold",
                                          "release", "remove", "bounce"};
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (strcmp(actions[i], word) == 0) {
            return true;
        }
    }
    return false;
}

/* Words after the options: an action first, then what is meant. */
static bool take_words(struct asking *a, int count, char **words)
{
    int next = 0;
    if (count > 0 && is_action(words[0])) {
        a->action = words[next++];
    }
    for (; next < count; next++) {
        struct queue_id id;
        bool is_id = queue_id_parse(str_from_cstr(words[next]), &id);
        if (!is_id && !strchr(words[next], '@')) {
            (void)fprintf(stderr,
                          "postrider queue: \"%s\" is no action, message id or address; see "
                          "`postrider queue --help`\n",
                          words[next]);
            return false;
        }
        if (!select_text(a, is_id ? "id" : "recipient", words[next])) {
            return false;
        }
    }
    bool looks = strcmp(a->action, "list") == 0 || strcmp(a->action, "show") == 0;
    if (!looks && !a->any) {
        (void)fprintf(stderr,
                      "postrider queue %s: which messages? Name one, or say --all for all\n",
                      a->action);
        return false;
    }
    return true;
}

int verb_queue(int argc, char **argv)
{
    struct asking a = {.action = "list", .selector = json_object()};
    const char *file = NULL;
    for (int c; (c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1;) {
        if (c == 'h') {
            print_help();
            json_decref(a.selector);
            return EX_OK;
        }
        if (c == 'c') {
            file = optarg;
        } else if (!take_option(&a, c)) {
            json_decref(a.selector);
            return EX_USAGE;
        }
    }
    if (!take_words(&a, argc - optind, argv + optind)) {
        json_decref(a.selector);
        return EX_USAGE;
    }
    struct options_config source;
    struct config *config = options_config(&source, file);
    int code = EX_CONFIG;
    if (config) {
        code = ask_server(config, &a);
    } else {
        json_decref(a.selector);
    }
    config_drop(config);
    options_done(&source);
    return code;
}
