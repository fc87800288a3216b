#include "path/deliver/pipe.h"

#include "core/mail/mailbox.h"
#include "path/deliver/forwards.h"
#include "path/deliver/local_delivery.h"

#include <errno.h>

enum { VARIABLES = 8 };

struct pipe {
    struct local_delivery d;
    struct program_run run;
    struct str environment[VARIABLES];
    size_t environment_count;
    bool given;   /* all of the message */
    bool reading; /* the message's next piece */
    bool ended;
    bool failed; /* the message could not be read */
    bool no_memory;
    struct forwards forwards;
    struct str id; /* the message's; behind it for the postman, so that it knows the end */
};

static const struct {
    int exit_status;
    struct status_code status;
    struct str words;
} exits[] = {
    {0, {2, 0, 0}, STR_INIT("done")},
    {64, {5, 3, 0}, STR_INIT("used wrongly")},
    {65, {5, 6, 0}, STR_INIT("bad data")},
    {66, {5, 3, 0}, STR_INIT("no input")},
    {67, {5, 1, 1}, STR_INIT("no such user")},
    {68, {5, 1, 2}, STR_INIT("no such host")},
    {69, {5, 3, 0}, STR_INIT("service unavailable")},
    {70, {5, 3, 0}, STR_INIT("internal error")},
    {71, {4, 3, 0}, STR_INIT("the system lacks resources")},
    {72, {5, 3, 0}, STR_INIT("a system file is missing")},
    {73, {5, 2, 0}, STR_INIT("its output cannot be created")},
    {74, {5, 3, 0}, STR_INIT("input or output error")},
    {75, {4, 3, 0}, STR_INIT("temporary failure")},
    {76, {5, 5, 0}, STR_INIT("protocol error")},
    {77, {5, 7, 0}, STR_INIT("permission denied")},
    {78, {5, 3, 5}, STR_INIT("configuration error")},
    {126, {4, 3, 5}, STR_INIT("a program it needs cannot be run")},
    {127, {4, 3, 5}, STR_INIT("a program it needs was not found")},
};

struct pipe_verdict pipe_exit_verdict(int exit_status)
{
    struct pipe_verdict verdict = {OUTCOME_FAILED, {5, 3, 0}, {0}};
    for (size_t i = 0; i < ARRAY_LEN(exits); i++) {
        if (exits[i].exit_status == exit_status) {
            uint8_t class = exits[i].status.class;
            verdict.kind = class == 2   ? OUTCOME_DELIVERED
                           : class == 4 ? OUTCOME_DEFERRED
                                        : OUTCOME_FAILED;
            verdict.status = exits[i].status;
            verdict.words = exits[i].words;
        }
    }
    return verdict;
}

void pipe_clean_output(struct buf *out, struct str output)
{
    bool space = false;
    for (size_t i = 0; i < output.len; i++) {
        unsigned char c = (unsigned char)output.ptr[i];
        if (c <= ' ' || c == 0x7f) {
            space = out->len > 0;
            continue;
        }
        buf_add(out, space ? STR(" ") : STR(""));
        buf_add_char(out, (char)c);
        space = false;
    }
}

static bool is_system(const struct pipe *p)
{
    return p->d.rcpt->hop->kind == HOP_SYSTEM;
}

/* "the program /usr/bin/sorter <what>: <its output>". */
static struct str words_of(struct pipe *p, struct str what)
{
    struct arena *arena = &p->d.job->arena;
    struct str name = p->d.rcpt->hop->argv[is_system(p) ? 1 : 0];
    struct buf output = {0};
    pipe_clean_output(&output, buf_str(&p->run.output));
    struct str text =
        arena_format(arena, "%s %.*s %.*s%s%.*s", is_system(p) ? "the postman of" : "the program",
                     STR_ARG(name), STR_ARG(what), output.len > 0 ? ": " : "", STR_ARG(output));
    buf_done(&output);
    return text;
}

static struct local_verdict not_started(struct pipe *p)
{
    struct arena *arena = &p->d.job->arena;
    struct str name = is_system(p) ? STR("that delivers to system users") : p->d.rcpt->hop->argv[0];
    const char *why = p->run.error == -ENOENT   ? "there is no such file"
                      : p->run.error == -EACCES ? "permission denied: it must be executable for "
                                                  "the user Postrider runs as"
                                                : "system error";
    return local_deferred((struct status_code){4, 3, 5},
                          arena_format(arena, "the program %.*s could not be started: %s (%d)",
                                       STR_ARG(name), why, -p->run.error));
}

static struct local_verdict judge(struct pipe *p)
{
    struct arena *arena = &p->d.job->arena;
    if (p->failed) {
        return local_message_trouble(&p->d);
    }
    if (p->run.error != 0) {
        return not_started(p);
    }
    if (p->run.timed_out) {
        struct str what = arena_format(arena, "took longer than %lld seconds and was ended",
                                       (long long)span_seconds(p->d.job->config->deliver.pipe));
        return local_deferred((struct status_code){4, 4, 7}, words_of(p, what));
    }
    if (p->run.signal != 0) {
        struct str what = arena_format(arena, "was ended by signal %d", p->run.signal);
        return local_deferred((struct status_code){4, 3, 0}, words_of(p, what));
    }
    struct pipe_verdict verdict = pipe_exit_verdict(p->run.exit_status);
    if (verdict.kind == OUTCOME_DELIVERED && is_system(p) &&
        forwards_begin(buf_str(&p->run.output))) {
        return forwards_read(buf_str(&p->run.output), arena, &p->forwards);
    }
    if (verdict.kind == OUTCOME_DELIVERED) {
        return (struct local_verdict){verdict.kind, verdict.status,
                                      words_of(p, STR("took the message"))};
    }
    struct str what = arena_format(arena, "exited with status %d%s%.*s%s", p->run.exit_status,
                                   verdict.words.len > 0 ? " (" : "", STR_ARG(verdict.words),
                                   verdict.words.len > 0 ? ")" : "");
    return (struct local_verdict){verdict.kind, verdict.status, words_of(p, what)};
}

static void settle(struct pipe *p)
{
    struct local_verdict verdict = judge(p);
    buf_done(&p->run.output);
    local_settle(&p->d, verdict);
    p->d.rcpt->outcome.children = p->forwards.children;
    p->d.rcpt->outcome.child_count = p->forwards.count;
}

/* The program may end in the middle of our reading, whose memory must stay until that ends. */
static void on_ended(struct program_run *run)
{
    struct pipe *p = CONTAINER_OF(run, struct pipe, run);
    p->ended = true;
    if (!p->reading) {
        settle(p);
    }
}

static void give(struct pipe *p)
{
    struct programs *programs = p->d.office->ports->programs;
    if (local_message_failed(&p->d.message)) {
        /* An end of its input would tell the program that this was all. It waits for the rest until
         * its time is over, and is killed without having seen an end. */
        p->failed = true;
        return;
    }
    p->given = p->d.message.last;
    programs->write_input(programs, &p->run, p->d.message.piece);
}

static void on_piece(struct local_message *message)
{
    struct pipe *p = CONTAINER_OF(message, struct pipe, d.message);
    p->reading = false;
    if (p->ended) {
        settle(p);
    } else {
        give(p);
    }
}

static void on_wants_input(struct program_run *run)
{
    struct pipe *p = CONTAINER_OF(run, struct pipe, run);
    struct programs *programs = p->d.office->ports->programs;
    if (p->given && is_system(p) && p->id.len > 0) {
        struct str id = p->id;
        p->id = (struct str){0};
        programs->write_input(programs, run, id);
        return;
    }
    if (p->given) {
        programs->end_input(programs, run);
        return;
    }
    p->reading = !local_message_next(&p->d.message);
    if (!p->reading) {
        give(p);
    }
}

static void add_variable(struct pipe *p, const char *name, struct str value)
{
    struct str variable = arena_format(&p->d.job->arena, "%s=%.*s", name, STR_ARG(value));
    p->no_memory = p->no_memory || !variable.ptr;
    p->environment[p->environment_count++] = variable;
}

/* The local part as it is meant, without quotes. */
static struct str unquoted(struct pipe *p, const struct mailbox *mailbox)
{
    struct buf text = {0};
    mailbox_local_unquoted(&text, mailbox);
    struct str made = text.failed ? (struct str){0} : arena_copy(&p->d.job->arena, buf_str(&text));
    buf_done(&text);
    return made;
}

/* "tag", where `address` is `local` and a separator and "tag". */
static struct str extension_of(struct pipe *p, struct str address, struct str local)
{
    struct mailbox mailbox;
    if (mailbox_parse(address, &mailbox) != MAILBOX_OK) {
        return STR("");
    }
    struct str whole = unquoted(p, &mailbox);
    bool longer = whole.len > local.len && str_eq_nocase(str_head(whole, local.len), local);
    return longer ? str_tail(whole, local.len + 1) : STR("");
}

static void make_environment(struct pipe *p)
{
    const struct job_rcpt *rcpt = p->d.rcpt;
    struct queue_id_text id = queue_id_text(p->d.job->envelope->id);
    struct str final = rcpt->final_mailbox.len > 0 ? rcpt->final_mailbox : rcpt->address;
    struct str original = rcpt->address;
    struct str local = final;
    struct str domain = STR("");
    struct str extension = STR("");
    struct mailbox mailbox;
    if (mailbox_parse(final, &mailbox) == MAILBOX_OK) {
        local = unquoted(p, &mailbox);
        domain = mailbox.domain.text;
        extension = extension_of(p, original, local);
    }
    add_variable(p, "PATH", STR("/usr/local/bin:/usr/bin:/bin"));
    add_variable(p, "SENDER", p->d.job->sender);
    add_variable(p, "RECIPIENT", final);
    add_variable(p, "ORIGINAL_RECIPIENT", original);
    add_variable(p, "LOCAL", local);
    add_variable(p, "DOMAIN", domain);
    add_variable(p, "EXTENSION", extension);
    add_variable(p, "MESSAGE_ID", queue_id_str(&id));
    p->id = arena_copy(&p->d.job->arena, queue_id_str(&id));
    p->no_memory = p->no_memory || !p->id.ptr;
}

bool pipe_deliver(const struct local_delivery *about)
{
    const struct next_hop *hop = about->rcpt->hop;
    struct programs *programs = about->office->ports->programs;
    struct pipe *p = ARENA_NEW(&about->job->arena, struct pipe);
    if (!p) {
        return false;
    }
    p->d = *about;
    p->d.message.ready = on_piece;
    make_environment(p);
    if (p->no_memory) {
        return false;
    }
    if (hop->kind == HOP_PIPE && (hop->argc == 0 || !str_starts(hop->argv[0], STR("/")))) {
        local_settle(&p->d, local_deferred((struct status_code){4, 3, 5},
                                           STR("the program to deliver to is not configured by its "
                                               "full path, which begins with \"/\"")));
        return true;
    }
    p->run = (struct program_run){
        .done = on_ended,
        .wants_input = on_wants_input,
        .argv = hop->argv,
        .argc = hop->argc,
        .environment = p->environment,
        .environment_count = p->environment_count,
        .limit = about->job->config->deliver.pipe,
        .output_limit = hop->kind == HOP_SYSTEM ? FORWARDS_BYTES_MAX : PIPE_OUTPUT_MAX,
    };
    programs->start(programs, &p->run);
    return true;
}
