#include "cli/send_options.h"

#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

static bool read_mode(struct send_options *o, const char *mode)
{
    static const struct {
        char letter;
        enum send_mode mode;
    } modes[] = {{'m', SEND_MESSAGE}, {'s', SEND_SMTP},       {'p', SEND_QUEUE_LIST},
                 {'i', SEND_NOTHING}, {'h', SEND_QUEUE_LIST}, {'H', SEND_QUEUE_LIST}};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (modes[i].letter == mode[0] && mode[1] == '\0') {
            o->mode = modes[i].mode;
            return true;
        }
    }
    (void)fprintf(stderr, "sendmail: -b%s is not done here (-bm, -bs, -bp, -bi are)%s\n", mode,
                  mode[0] == 'd' || mode[0] == 'D' ? "; the server is `postrider serve`" : "");
    return false;
}

static bool read_notify(struct send_options *o, const char *text)
{
    static const struct {
        struct str word;
        uint8_t bit;
    } words[] = {{STR_INIT("never"), NOTIFY_NEVER},
                 {STR_INIT("success"), NOTIFY_SUCCESS},
                 {STR_INIT("failure"), NOTIFY_FAILURE},
                 {STR_INIT("delay"), NOTIFY_DELAY}};
    struct str rest = str_from_cstr(text);
    while (rest.len > 0) {
        struct str word = str_split(&rest, ',');
        uint8_t before = o->notify;
        for (size_t i = 0; i < ARRAY_LEN(words); i++) {
            o->notify |= str_eq_nocase(word, words[i].word) ? words[i].bit : 0;
        }
        if (o->notify == before) {
            break;
        }
    }
    bool never = (o->notify & NOTIFY_NEVER) != 0;
    if (rest.len > 0 || o->notify == 0 || (never && o->notify != NOTIFY_NEVER)) {
        (void)fprintf(stderr, "postrider send: -N takes never, or some of success,failure,delay\n");
        return false;
    }
    return true;
}

static bool read_ret(struct send_options *o, const char *text)
{
    bool full = strcmp(text, "full") == 0;
    if (!full && strcmp(text, "hdrs") != 0) {
        (void)fprintf(stderr, "postrider send: -R takes full or hdrs\n");
        return false;
    }
    o->ret = full ? RET_FULL : RET_HDRS;
    return true;
}

/* -o and its letter: only -oi says something. */
static void read_old(struct send_options *o, const char *text)
{
    o->keep_dots = o->keep_dots || strcmp(text, "i") == 0 || strcmp(text, "IgnoreDots") == 0;
}

/* -q, -qTIME: all; -qI, -qR, -qS with a text: those with this id, recipient or its domain, sender.
 */
static bool read_retry(struct send_options *o, const char *what)
{
    o->mode = SEND_QUEUE_RETRY;
    if (!what || *what == '\0' || ascii_is_digit(*what)) {
        return true;
    }
    o->retry_value = what + 1;
    o->retry_key = what[0] == 'I'   ? "id"
                   : what[0] == 'S' ? "sender"
                   : what[0] == 'R' ? strchr(what, '@') ? "recipient" : "domain"
                                    : NULL;
    if (!o->retry_key || *o->retry_value == '\0') {
        (void)fprintf(stderr,
                      "sendmail: -q%s is not done here (-q, -qIID, -qRRECIPIENT, "
                      "-qSSENDER are)\n",
                      what);
        return false;
    }
    return true;
}

static bool read_option(struct send_options *o, int option)
{
    switch (option) {
    case 'C':
    case 'c':
        o->config_file = optarg;
        return true;
    case 'f':
    case 'r':
        o->sender = optarg;
        return true;
    case 'F':
        o->full_name = optarg;
        return true;
    case 't':
        o->from_header = true;
        return true;
    case 'i':
        o->keep_dots = true;
        return true;
    case 'o':
        read_old(o, optarg);
        return true;
    case 'b':
        return read_mode(o, optarg);
    case 'q':
        return read_retry(o, optarg);
    case 'N':
        return read_notify(o, optarg);
    case 'R':
        return read_ret(o, optarg);
    case 'V':
        o->envid = optarg;
        return true;
    case 'S':
        o->server = optarg;
        return true;
    case 'j':
        o->json = true;
        return true;
    case 'h':
        o->mode = SEND_HELP;
        return true;
    default:
        return option != '?' && option != ':'; /* the rest is from another age */
    }
}

bool send_options_read(struct send_options *o, int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"from", required_argument, NULL, 'f'},
        {"server", required_argument, NULL, 'S'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},         {0}};
    const char *name = argc > 0 ? basename(argv[0]) : "";
    *o = (struct send_options){0};
    if (strcmp(name, "mailq") == 0) {
        o->mode = SEND_QUEUE_LIST;
    } else if (strcmp(name, "newaliases") == 0) {
        o->mode = SEND_NOTHING;
    }
    for (int c;
         (c = getopt_long(argc, argv, "+A:B:C:c:F:GILN:O:R:TUV:X:b:d::e:f:h:imno:p:q::r:s:tv",
                          options, NULL)) != -1;) {
        if (!read_option(o, c)) {
            return false;
        }
    }
    o->rcpts = argv + optind;
    o->rcpt_count = argc - optind;
    return true;
}
