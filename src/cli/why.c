/* why.c: `postrider why`: a message's whole story, or the newest stories of an address. */
#include "cli/options.h"
#include "cli/print.h"
#include "cli/verb.h"
#include "cli/why_history.h"
#include "control/client.h"
#include "core/mail/queue_id.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct telling {
    bool json;
    json_t *stories;
    size_t count;
    bool more; /* not all that was asked for was told */
    int code;
};

static void on_line(void *owner, const json_t *line)
{
    struct telling *t = owner;
    const json_t *story = json_object_get(line, "story");
    const json_t *done = json_object_get(line, "done");
    const char *refused = json_string_value(json_object_get(done, "refused"));
    const char *error = json_string_value(json_object_get(done, "error"));
    if (story && t->json) {
        json_array_append(t->stories, (json_t *)(uintptr_t)story);
    } else if (story) {
        const char *words = json_string_value(json_object_get(story, "words"));
        (void)printf(t->count > 0 ? "\n" : "");
        print_text(stdout, str_from_cstr(words), true);
    }
    t->count += story ? 1 : 0;
    t->more = t->more || json_is_true(json_object_get(done, "more"));
    if (refused || error) {
        (void)fprintf(stderr, "postrider why: %s\n", refused ? refused : error);
        t->code = refused ? EX_USAGE : EX_IOERR;
    }
}

static void print_help(void)
{
    (void)printf(
        "usage: postrider why ID|ADDRESS [--limit N] [--json] [-c FILE]\n\n"
        "Tells a message's whole story: when and from whom it came, every attempt with the "
        "other\nside's reply, what it waits for now, when it is tried next and given up. "
        "With an address:\nthe newest messages from or to it. Finished messages are "
        "remembered for a week\n(queue.history).\n\n"
        "example: postrider why someone@example.org\n");
}

/* No server runs: what can be told without it. */
static int tell_from_disk(const struct config *config, const char *what, uint32_t limit,
                          struct telling *t)
{
    struct why_history why = {
        .config = config, .what = what, .limit = limit, .line = on_line, .owner = t};
    int result = why_history(&why);
    if (t->count == 0) {
        (void)fprintf(stderr,
                      "postrider why: no finished message's story was found%s%s; what is still "
                      "in the queue can be told when the server runs\n",
                      result < 0 ? ": " : "", result < 0 ? strerror(-result) : "");
        return EX_TEMPFAIL;
    }
    (void)fprintf(stderr, "postrider why: this is of finished messages only; what is still in the "
                          "queue can be told when the server runs\n");
    return result < 0 ? EX_IOERR : EX_OK;
}

static void print_stories(const struct telling *t)
{
    json_t *all = json_object();
    json_object_set(all, "messages", t->stories);
    json_object_set_new(all, "more", json_boolean(t->more));
    print_facts(all);
    json_decref(all);
}

static int tell(const struct config *config, const char *what, uint32_t limit, struct telling *t)
{
    json_t *question = json_object();
    json_t *text = json_string(what);
    json_object_set_new(question, "verb", json_string("why"));
    json_object_set_new(question, strchr(what, '@') ? "address" : "id",
                        text ? text : json_string("?"));
    json_object_set_new(question, "limit", json_integer(limit));
    t->stories = json_array();
    struct control_ask ask = {
        .path = config->control_path, .question = question, .line = on_line, .owner = t};
    int code = control_ask(&ask);
    code = code != EX_OK ? code : t->code;
    if (code == EX_TEMPFAIL) {
        code = tell_from_disk(config, what, limit, t);
    }
    if (code == EX_OK && t->json) {
        print_stories(t);
    } else if (code == EX_OK && t->more) {
        (void)printf("\n(there is more: ask with an id, or with a smaller --limit)\n");
    }
    json_decref(t->stories);
    if (code == EX_OK && t->count == 0) {
        (void)fprintf(stderr,
                      "postrider why: nothing is known of %s: it never came here, or its story is "
                      "older than queue.history keeps\n",
                      what);
        return EX_NOINPUT;
    }
    return code;
}

/* The id of a message, or an address. */
static bool is_question(const char *what)
{
    struct queue_id id;
    return strchr(what, '@') || (queue_id_parse(str_from_cstr(what), &id) && id.value != 0);
}

int verb_why(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"limit", required_argument, NULL, 'n'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct telling telling = {.code = EX_OK};
    const char *file = NULL;
    uint32_t limit = 0;
    for (int c; (c = getopt_long(argc, argv, "c:n:h", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            file = optarg;
            break;
        case 'n':
            if (!options_count(optarg, &limit)) {
                (void)fprintf(stderr, "postrider why: --limit wants a number from 1 up\n");
                return EX_USAGE;
            }
            break;
        case 'j':
            telling.json = true;
            break;
        case 'h':
            print_help();
            return EX_OK;
        default:
            return EX_USAGE;
        }
    }
    if (argc - optind != 1) {
        (void)fprintf(stderr, "postrider why: of which message or address? See --help\n");
        return EX_USAGE;
    }
    if (!is_question(argv[optind])) {
        (void)fprintf(stderr, "postrider why: \"%s\" is no message's id and no address\n",
                      argv[optind]);
        return EX_USAGE;
    }
    struct options_config source;
    struct config *config = options_config(&source, file);
    int code = config ? tell(config, argv[optind], limit, &telling) : EX_CONFIG;
    config_drop(config);
    options_done(&source);
    return code;
}
