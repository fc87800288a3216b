/* send.c: `postrider send`, and what it does when it is called sendmail, mailq or newaliases. */
#include "cli/options.h"
#include "cli/print.h"
#include "cli/queue.h"
#include "cli/send_message.h"
#include "cli/send_options.h"
#include "cli/submit.h"
#include "cli/verb.h"
#include "core/base/utf8.h"
#include "core/mail/mailbox.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { RCPTS_MAX = 10000 };

struct sending {
    const struct send_options *options;
    const struct config *config;
    struct arena arena;
    struct str user;
    struct submission s;
    struct instant now;
};

static struct instant now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (struct instant){(int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000};
}

/* "local" gets a domain. Empty, and told: no address. */
static struct str whole_address(struct sending *w, struct str text)
{
    struct completion completion = w->config->completion;
    struct mailbox mailbox;
    struct buf out = {0};
    struct path path = {0};
    struct scan sc = {.rest = text};
    if (completion.domain.len == 0) {
        completion.domain = w->config->hostname; /* an envelope needs one */
    }
    path.unqualified = str_find(text, '@') == STR_NONE;
    enum mailbox_error error =
        path.unqualified ? scan_local_part(&sc, &path.mailbox) : scan_mailbox(&sc, &path.mailbox);
    struct str kept = {0};
    if (error == MAILBOX_OK && scan_done(&sc) &&
        completion_mailbox(&completion, &path, &w->arena, &mailbox) == MAILBOX_OK) {
        mailbox_format(&out, &mailbox);
        kept = arena_copy(&w->arena, buf_str(&out));
        w->s.smtputf8 = w->s.smtputf8 || mailbox.utf8;
    } else {
        (void)fprintf(stderr, "postrider send: \"%.*s\" is no address\n", STR_ARG(text));
    }
    buf_done(&out);
    return kept;
}

static bool add_rcpt(void *owner, struct str text)
{
    struct sending *w = owner;
    struct str address = whole_address(w, text);
    if (address.len == 0 || w->s.rcpt_count == RCPTS_MAX) {
        return false;
    }
    for (size_t i = 0; i < w->s.rcpt_count; i++) {
        if (str_eq(w->s.rcpts[i].address, address)) {
            return true;
        }
    }
    w->s.rcpts[w->s.rcpt_count++] =
        (struct client_rcpt){.address = address, .notify = w->options->notify};
    return true;
}

static bool find_sender(struct sending *w, struct str *full_name)
{
    const struct passwd *user = getpwuid(getuid());
    const char *sender = w->options->sender;
    w->user = user ? arena_copy(&w->arena, str_from_cstr(user->pw_name))
                   : arena_format(&w->arena, "uid%u", (unsigned)getuid());
    struct str gecos = str_from_cstr(user ? user->pw_gecos : NULL);
    *full_name = arena_copy(&w->arena, str_split(&gecos, ','));
    if (w->options->full_name) {
        *full_name = str_from_cstr(w->options->full_name);
    }
    if (sender && (*sender == '\0' || strcmp(sender, "<>") == 0)) {
        return true; /* the null reverse-path */
    }
    struct str text = sender ? str_from_cstr(sender) : w->user;
    if (text.len > 2 && text.ptr[0] == '<' && str_ends(text, STR(">"))) {
        text = str_head(str_tail(text, 1), text.len - 2);
    }
    w->s.sender = whole_address(w, text);
    return w->s.sender.len > 0;
}

static int read_input(struct buf *in, uint64_t limit)
{
    for (;;) {
        if (!buf_reserve(in, 65536)) {
            return -ENOMEM;
        }
        ssize_t n = read(STDIN_FILENO, in->ptr + in->len, 65536);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? -errno : 0;
        }
        in->len += (size_t)n;
        if (in->len > limit) {
            return -EFBIG;
        }
    }
}

static struct str words_of(const struct client_result *r)
{
    return r->text.len > 0          ? r->text
           : r->cause == CAUSE_LOST ? STR("the server closed the connection")
                                    : STR("the server cannot take this message");
}

static int exit_code(const struct submission *s)
{
    int code = EX_OK;
    for (size_t i = 0; i < s->rcpt_count; i++) {
        enum client_verdict verdict = s->rcpts[i].result.verdict;
        if (verdict == VERDICT_PERMANENT) {
            return EX_UNAVAILABLE;
        }
        code = verdict == VERDICT_ACCEPTED ? code : EX_TEMPFAIL;
    }
    return code;
}

static int report(const struct sending *w)
{
    json_t *list = json_array();
    for (size_t i = 0; i < w->s.rcpt_count; i++) {
        const struct client_rcpt *rcpt = &w->s.rcpts[i];
        bool taken = rcpt->result.verdict == VERDICT_ACCEPTED;
        struct str words = words_of(&rcpt->result);
        json_t *entry = json_object();
        json_object_set_new(entry, "address", json_stringn(rcpt->address.ptr, rcpt->address.len));
        json_object_set_new(entry, "accepted", json_boolean(taken));
        json_object_set_new(entry, "code", json_integer(rcpt->result.code));
        json_object_set_new(entry, "text", json_stringn(words.ptr, words.len));
        json_array_append_new(list, entry);
        if (!taken && !w->options->json) {
            (void)fprintf(stderr, "postrider send: %.*s: %.*s\n", STR_ARG(rcpt->address),
                          STR_ARG(words));
        }
    }
    if (w->options->json) {
        json_t *all = json_object();
        json_object_set(all, "recipients", list);
        print_facts(all);
        json_decref(all);
    }
    json_decref(list);
    return exit_code(&w->s);
}

static int leave_for_pickup(struct sending *w, int why)
{
    int error = submit_pickup(&w->s, w->now, w->user);
    struct str reason =
        w->s.refusal.text.len > 0 ? w->s.refusal.text : str_from_cstr(strerror(-why));
    if (error != 0) {
        (void)fprintf(stderr,
                      "postrider send: the server does not take it now (%.*s), and the message "
                      "cannot be left in %.*s/pickup (%s): it is not sent\n",
                      STR_ARG(reason), STR_ARG(w->config->spool_path), strerror(-error));
        return EX_TEMPFAIL;
    }
    (void)fprintf(stderr,
                  "postrider send: the server does not take it now (%.*s); the message lies in "
                  "%.*s/pickup and is sent when the server runs again\n",
                  STR_ARG(reason), STR_ARG(w->config->spool_path));
    return EX_OK;
}

static int hand_over(struct sending *w)
{
    int error = submit_smtp(&w->s);
    if (error != 0 && w->s.refusal.verdict == VERDICT_PERMANENT) {
        for (size_t i = 0; i < w->s.rcpt_count; i++) {
            w->s.rcpts[i].result = w->s.refusal; /* to wait would not help */
        }
        error = 0;
    }
    return error != 0 ? leave_for_pickup(w, error) : report(w);
}

static int send_text(struct sending *w, struct str input, struct str full_name)
{
    struct buf text = {0};
    struct send_message message = {.sender = w->s.sender,
                                   .full_name = full_name,
                                   .hostname = w->config->hostname,
                                   .completion = &w->config->completion,
                                   .now = w->now,
                                   .from_header = w->options->from_header};
    int code = EX_DATAERR;
    if (getrandom(&message.random, sizeof message.random, 0) != sizeof message.random) {
        message.random = (uint64_t)getpid();
    }
    send_normalise(&text, input, w->options->keep_dots);
    if (!send_message_make(&message, buf_str(&text), add_rcpt, w) || text.failed) {
        (void)fprintf(stderr, "postrider send: the header's addresses cannot be read\n");
    } else if (w->s.rcpt_count == 0) {
        (void)fprintf(stderr, "postrider send: no recipients; name them, or use -t\n");
        code = EX_USAGE;
    } else {
        w->s.message = buf_str(&message.text);
        w->s.eight_bit = message.eight_bit;
        code = hand_over(w);
    }
    buf_done(&text);
    buf_done(&message.text);
    return code;
}

static int send_message(struct sending *w)
{
    struct buf input = {0};
    struct str full_name = {0};
    bool fine = find_sender(w, &full_name);
    w->s.rcpts = arena_array(&w->arena, RCPTS_MAX, sizeof *w->s.rcpts);
    for (int i = 0; fine && w->s.rcpts && i < w->options->rcpt_count; i++) {
        fine = add_rcpt(w, str_from_cstr(w->options->rcpts[i]));
    }
    if (!fine || !w->s.rcpts) {
        return fine ? EX_OSERR : EX_USAGE;
    }
    if (w->s.rcpt_count == 0 && !w->options->from_header) {
        (void)fprintf(stderr, "postrider send: no recipients; name them, or use -t\n");
        return EX_USAGE;
    }
    int error = read_input(&input, w->config->limits.message);
    int code = EX_IOERR;
    if (error == 0) {
        code = send_text(w, buf_str(&input), full_name);
    } else {
        (void)fprintf(stderr, "postrider send: %s\n",
                      error == -EFBIG ? "the message is larger than limits.message"
                                      : strerror(-error));
    }
    buf_done(&input);
    return code;
}

/* One direction of the talk; false: that side is finished. */
static bool pass_on(int from, int to)
{
    char bytes[4096];
    ssize_t n = read(from, bytes, sizeof bytes);
    for (ssize_t done = 0; n > 0 && done < n;) {
        ssize_t written = write(to, bytes + done, (size_t)(n - done));
        if (written <= 0) {
            return false;
        }
        done += written;
    }
    return n > 0;
}

/* -bs: the caller speaks SMTP on standard input and output; the server answers. */
static int speak_smtp(struct sending *w)
{
    int fd = submit_connect(&w->s);
    if (fd < 0) {
        (void)printf("421 4.3.2 the server cannot be reached (%s)\r\n", strerror(-fd));
        return EX_TEMPFAIL;
    }
    struct pollfd sides[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    for (bool open = true; open;) {
        if (poll(sides, 2, -1) < 0 && errno != EINTR) {
            break;
        }
        if (sides[0].revents != 0 && !pass_on(STDIN_FILENO, fd)) {
            (void)shutdown(fd, SHUT_WR);
            sides[0].fd = -1;
            sides[0].revents = 0;
        }
        open = sides[1].revents == 0 || pass_on(fd, STDOUT_FILENO);
    }
    (void)close(fd);
    return EX_OK;
}

static void print_help(void)
{
    (void)printf(
        "usage: postrider send [-f SENDER] [-F NAME] [-t] [-i] [-N WHEN] [-R full|hdrs] [-V "
        "ENVID]\n"
        "                      [--server ADDR:PORT] [--json] [-c FILE] [RECIPIENT...] < message\n\n"
        "Submits the message on standard input to the server of the configuration. Date, From and\n"
        "Message-ID are added where they are missing; Bcc is taken out. Where the server cannot "
        "be\n"
        "reached the message is left in its pickup folder, and that is said.\n\n"
        "  -f SENDER  the reverse-path; <> for none\n"
        "  -F NAME    the full name for a From that is missing\n"
        "  -t         recipients from To, Cc and Bcc, besides those named\n"
        "  -i         a line with only a dot does not end the message\n"
        "  -N WHEN    never, or some of success,failure,delay: when to be told (DSN)\n"
        "  -R, -V     what a report returns, and the envelope's id in it (DSN)\n\n"
        "Called as sendmail it takes sendmail's options too: -bs (SMTP on standard input), -bp "
        "(list\n"
        "the queue), -q (try all of it now; -qIID, -qRRECIPIENT or its domain, -qSSENDER: these), "
        "-oi\n"
        "and the rest. Called as mailq it lists the queue.\n\n"
        "example: printf 'Subject: hello\\n\\nIt works.\\n' | postrider send you@example.com\n");
}

static int act(struct sending *w)
{
    switch (w->options->mode) {
    case SEND_MESSAGE:
        return send_message(w);
    case SEND_SMTP:
        return speak_smtp(w);
    case SEND_QUEUE_LIST:
        return queue_print(w->config);
    case SEND_QUEUE_RETRY:
        return queue_retry(w->config, w->options->retry_key, w->options->retry_value);
    case SEND_NOTHING: /* alias files are read as they are: SIGHUP makes the server read them */
    case SEND_HELP:
        break;
    }
    return EX_OK;
}

int verb_send(int argc, char **argv)
{
    struct send_options options;
    struct options_config source;
    if (!send_options_read(&options, argc, argv)) {
        return EX_USAGE;
    }
    if (options.mode == SEND_HELP) {
        print_help();
        return EX_OK;
    }
    struct config *config = options_config(&source, options.config_file);
    int code = EX_CONFIG;
    if (config) {
        struct sending w = {.options = &options,
                            .config = config,
                            .now = now(),
                            .s = {.config = config,
                                  .ret = options.ret,
                                  .envid = str_from_cstr(options.envid),
                                  .server = str_from_cstr(options.server),
                                  .helo = config->hostname}};
        w.s.arena = &w.arena;
        code = act(&w);
        arena_done(&w.arena);
    }
    config_drop(config);
    options_done(&source);
    return code;
}
