/* queue.c: `postrider queue`: looks into the queue of the running server and steers it. */
#include "cli/queue.h"

#include "cli/options.h"
#include "cli/print.h"
#include "cli/queue_print.h"
#include "cli/verb.h"
#include "config/units.h"
#include "control/client.h"
#include "core/mail/queue_id.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { WORDS_MAX = 10000 };

struct asking {
    const char *action; /* as the user wrote it: list, show, retry, … */
    bool json;
    bool any; /* a selector, or --all, was given */
    uint32_t limit;
    json_t *selector;
    char **words; /* message ids, then addresses: any of each kind */
    size_t id_count, address_count;

    /* Of all answers together: a message may be in several. */
    json_t *items; /* by id */
    long long changed;
    bool more;
    int code;
};

static bool looks(const struct asking *a)
{
    return strcmp(a->action, "list") == 0 || strcmp(a->action, "show") == 0;
}

static void on_item(struct asking *a, const json_t *item)
{
    const char *id = json_string_value(json_object_get(item, "id"));
    bool seen = id && json_object_get(a->items, id);
    if (!id || (seen && looks(a))) {
        return;
    }
    if (!a->json && json_object_size(a->items) == 0) {
        queue_print_heading();
    }
    if (!a->json) {
        queue_print_item(item, strcmp(a->action, "show") == 0);
    }
    /* What was printed need not be kept. */
    json_object_set_new(a->items, id, a->json ? json_deep_copy(item) : json_true());
}

static void on_line(void *owner, const json_t *line)
{
    struct asking *a = owner;
    const json_t *item = json_object_get(line, "item");
    const json_t *done = json_object_get(line, "done");
    const char *refused = json_string_value(json_object_get(done, "refused"));
    const char *error = json_string_value(json_object_get(done, "error"));
    if (refused || error) {
        (void)fprintf(stderr, "postrider queue: %s\n", refused ? refused : error);
        a->code = refused ? EX_USAGE : EX_IOERR;
    }
    if (item) {
        on_item(a, item);
    }
    a->changed += json_integer_value(json_object_get(done, "changed"));
    a->more = a->more || json_is_true(json_object_get(done, "more"));
}

static void print_summary(const struct asking *a)
{
    size_t matched = json_object_size(a->items);
    const char *plural = matched == 1 ? "" : "s";
    if (matched == 0) {
        (void)printf("%s\n", a->any ? "nothing in the queue is like that" : "the queue is empty");
    } else if (looks(a)) {
        (void)printf("%zu message%s%s\n", matched, plural, a->more ? ", and there are more" : "");
    } else {
        (void)printf("%s: %lld of %zu message%s%s\n", a->action, a->changed, matched, plural,
                     a->more ? ", and there are more" : "");
    }
}

static void print_json(const struct asking *a)
{
    json_t *all = json_object();
    json_t *messages = json_array();
    const char *id;
    json_t *item;
    json_object_foreach(a->items, id, item)
    {
        json_array_append(messages, item);
    }
    json_object_set_new(all, "matched", json_integer((json_int_t)json_object_size(a->items)));
    json_object_set_new(all, "changed", json_integer(a->changed));
    json_object_set_new(all, "more", json_boolean(a->more));
    json_object_set_new(all, "messages", messages);
    print_facts(all);
    json_decref(all);
}

static int ask_once(const struct config *config, struct asking *a, const char *id,
                    const char *address)
{
    bool show = strcmp(a->action, "show") == 0;
    json_t *question = json_object();
    json_t *selector = json_deep_copy(a->selector);
    size_t told = json_object_size(a->items);
    if (a->limit > 0 && told >= a->limit) {
        a->more = true;
        json_decref(question);
        json_decref(selector);
        return EX_OK;
    }
    if (id) {
        json_object_set_new(selector, "id", json_string(id));
    }
    if (address) {
        json_object_set_new(selector, "recipient", json_string(address));
    }
    json_object_set_new(question, "verb", json_string("queue"));
    json_object_set_new(question, "action", json_string(show ? "list" : a->action));
    json_object_set_new(question, "selector", selector);
    if (a->limit > 0) {
        json_object_set_new(question, "limit", json_integer((json_int_t)(a->limit - told)));
    }
    struct control_ask ask = {
        .path = config->control_path, .question = question, .line = on_line, .owner = a};
    int code = control_ask(&ask);
    return code != EX_OK ? code : a->code;
}

/* A question for every id with every address. */
static int ask_server(const struct config *config, struct asking *a)
{
    int code = EX_OK;
    a->items = json_object();
    for (size_t i = 0; code == EX_OK && i < (a->id_count ? a->id_count : 1); i++) {
        const char *id = a->id_count ? a->words[i] : NULL;
        for (size_t k = 0; code == EX_OK && k < (a->address_count ? a->address_count : 1); k++) {
            code = ask_once(config, a, id, a->address_count ? a->words[a->id_count + k] : NULL);
        }
    }
    if (code == EX_OK && a->json) {
        print_json(a);
    } else if (code == EX_OK) {
        print_summary(a);
        code = json_object_size(a->items) == 0 && a->any ? EX_NOINPUT : EX_OK;
    }
    json_decref(a->items);
    return code;
}

int queue_print(const struct config *config)
{
    struct asking a = {.action = "list", .selector = json_object()};
    int code = ask_server(config, &a);
    json_decref(a.selector);
    return code;
}

int queue_retry(const struct config *config, const char *key, const char *value)
{
    struct asking a = {.action = "retry", .any = key != NULL, .selector = json_object()};
    if (key) {
        json_object_set_new(a.selector, key, json_string(value));
    }
    int code = ask_server(config, &a);
    json_decref(a.selector);
    return code;
}

static void print_help(void)
{
    (void)printf(
        "usage: postrider queue [list|show|retry|hold|release|remove|bounce] [SELECTOR]\n"
        "                       [--limit N] [--json] [-c FILE]\n\n"
        "Looks into the queue of the running server and steers it.\n\n"
        "  list      every message and what it waits for (the default)\n"
        "  show      the same with every recipient's last attempt\n"
        "  retry     try now, whatever the schedule says\n"
        "  hold      do not try until released\n"
        "  release   try again what was held\n"
        "  remove    forget it and tell nobody\n"
        "  bounce    give up now and tell the sender\n\n"
        "SELECTOR: message ids, recipients' addresses, or\n"
        "  --sender ADDRESS     the reverse-path; \"<>\" for none\n"
        "  --recipient ADDRESS  of a recipient not done yet\n"
        "  --domain DOMAIN      of a recipient not done yet\n"
        "  --site TEXT          a part of the name of the host or hosts it goes to\n"
        "  --error TEXT         a part of the last reply or reason\n"
        "  --older TIME         longer in the queue than that: 90s, 1h30m, 2d\n"
        "  --held               held ones only\n"
        "  --all                every message\n"
        "All kinds that are given must hold; of several ids, or several addresses, any one. What\n"
        "names recipients holds, releases, removes and bounces these recipients alone. What "
        "changes\nthe queue needs a selector. --limit N: the oldest N. Exit code 66: nothing is "
        "like that.\n\n"
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
    OPT_ALL,
    OPT_LIMIT
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
    {"limit", required_argument, NULL, OPT_LIMIT},
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

static bool take_limit(struct asking *a, const char *text)
{
    if (!options_count(text, &a->limit)) {
        (void)fprintf(stderr, "postrider queue: --limit wants a number from 1 up, not \"%s\"\n",
                      text);
        return false;
    }
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
    case OPT_LIMIT:
        return take_limit(a, optarg);
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

/* The words after the action: ids and addresses, in any order; the ids first then. */
static bool sort_words(struct asking *a, int count, char **words)
{
    char *addresses[WORDS_MAX] = {NULL};
    for (int i = 0; i < count; i++) {
        struct queue_id id;
        bool is_id = queue_id_parse(str_from_cstr(words[i]), &id) && id.value != 0;
        if (!is_id && !strchr(words[i], '@')) {
            (void)fprintf(stderr,
                          "postrider queue: \"%s\" is no action, message id or address; see "
                          "`postrider queue --help`\n",
                          words[i]);
            return false;
        }
        if (is_id) {
            words[a->id_count++] = words[i];
        } else {
            addresses[a->address_count++] = words[i];
        }
    }
    memcpy(words + a->id_count, addresses, a->address_count * sizeof *addresses);
    a->words = words;
    a->any = a->any || count > 0;
    return true;
}

/* Words after the options: an action first, then what is meant. */
static bool take_words(struct asking *a, int count, char **words)
{
    int next = 0;
    if (count > 0 && is_action(words[0])) {
        a->action = words[next++];
    }
    if (count - next > WORDS_MAX) {
        (void)fprintf(stderr, "postrider queue: at most %d ids and addresses\n", WORDS_MAX);
        return false;
    }
    if (!sort_words(a, count - next, words + next)) {
        return false;
    }
    if (a->address_count > 0 && json_object_get(a->selector, "recipient")) {
        (void)fprintf(stderr, "postrider queue: name recipients, or use --recipient; not both\n");
        return false;
    }
    if (!looks(a) && !a->any) {
        (void)fprintf(stderr,
                      "postrider queue %s: which messages? Name one, or say --all for all\n",
                      a->action);
        return false;
    }
    return true;
}

static int take_all(struct asking *a, int argc, char **argv, const char **file)
{
    for (int c; (c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1;) {
        if (c == 'h') {
            print_help();
            return EX_OK;
        }
        if (c == 'c') {
            *file = optarg;
        } else if (!take_option(a, c)) {
            return EX_USAGE;
        }
    }
    return take_words(a, argc - optind, argv + optind) ? -1 : EX_USAGE;
}

int verb_queue(int argc, char **argv)
{
    struct asking a = {.action = "list", .selector = json_object()};
    const char *file = NULL;
    int code = take_all(&a, argc, argv, &file);
    if (code < 0) {
        struct options_config source;
        struct config *config = options_config(&source, file);
        code = config ? ask_server(config, &a) : EX_CONFIG;
        config_drop(config);
        options_done(&source);
    }
    json_decref(a.selector);
    return code;
}
