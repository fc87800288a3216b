#include "cli/trace/judge.h"

#include "cli/trace/answers.h"
#include "cli/trace/facts.h"
#include "cli/trace/page.h"
#include "cli/trace/progress.h"
#include "cli/trace/queued.h"
#include "cli/trace/source.h"
#include "cli/trace/text.h"
#include "core/mail/header.h"
#include "core/mail/queue_id.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum {
    WINDOW_MAX = 32,             /* messages whose questions are asked together */
    WINDOW_OCTETS = 32 << 20,    /* …while they are not larger than this together */
    ANSWER_SECONDS = 5,          /* for one question: a person waits */
    KEEP_HEADER = 4 << 20,       /* of a message, where the header is all that counts */
    KEEP_WHOLE = 64 << 20,       /* …where signatures are checked */
    KEEP_WHOLE_OF_ALL = 8 << 20, /* …of many */
};

/* A message under judgement. */
struct one {
    struct arena arena;
    struct trace trace;
    struct buf message, name;
};

struct judging {
    const struct trace_options *options;
    struct trace_trust trust;
    struct answers *answers; /* null: offline */
    struct text_style style;
    int64_t now;
    struct progress progress;
    struct source source;
    struct buf out;
    size_t count, octets; /* in the window */
    struct one window[WINDOW_MAX];
};

static int no_memory(void)
{
    (void)fprintf(stderr, "postrider trace: not enough memory\n");
    return EX_OSERR;
}

static int write_page(const char *file, const struct trace_view *view)
{
    struct buf page = {0};
    page_render(&page, view);
    FILE *to = page.failed ? NULL : fopen(file, "wb");
    bool written = to && fwrite(page.ptr, 1, page.len, to) == page.len;
    written = (to ? fclose(to) == 0 : false) && written;
    if (!written) {
        (void)fprintf(stderr, "postrider trace: cannot write %s: %s\n", file, strerror(errno));
    }
    buf_done(&page);
    return written ? EX_OK : EX_CANTCREAT;
}

static bool print_json(const struct judging *j, const struct trace_view *view)
{
    json_t *facts = facts_of_trace(view);
    size_t flags = j->options->all ? JSON_COMPACT : JSON_INDENT(2);
    bool fine = facts && json_dumpf(facts, stdout, flags) == 0 && putchar('\n') != EOF;
    json_decref(facts);
    return fine;
}

static int show(struct judging *j, const struct one *one)
{
    const struct trace_options *o = j->options;
    struct trace_view view = {.trace = &one->trace,
                              .source = buf_str(&one->name),
                              .trust_named = o->name_count + o->network_count > 0,
                              .offline = o->offline};
    progress_count(&j->progress, one->trace.verdict);
    int code = o->html ? write_page(o->html, &view) : EX_OK;
    if (o->json) {
        return print_json(j, &view) ? code : EX_IOERR;
    }
    buf_clear(&j->out);
    if (o->all) {
        text_render_line(&j->out, &view, &j->style);
    } else {
        text_render(&j->out, &view, &j->style);
    }
    bool fine = !j->out.failed && fwrite(j->out.ptr, 1, j->out.len, stdout) == j->out.len;
    return fine ? code : EX_IOERR;
}

/* Judges and shows all that the window holds. */
static int judge_window(struct judging *j)
{
    int code = EX_OK;
    if (j->answers) {
        answers_wait(j->answers);
    }
    for (size_t i = 0; i < j->count; i++) {
        struct one *one = &j->window[i];
        if (code == EX_OK && !trace_judge(&one->trace, &j->trust, j->now)) {
            code = no_memory();
        }
        code = code == EX_OK ? show(j, one) : code;
        arena_done(&one->arena);
    }
    j->count = j->octets = 0;
    return code;
}

/* Takes the source's message into the window. */
static int take(struct judging *j)
{
    struct one *one = &j->window[j->count++];
    struct buf message = one->message;
    struct buf name = one->name;
    one->message = j->source.message;
    one->name = j->source.name;
    j->source.message = message;
    j->source.name = name;
    j->octets += one->message.len;
    one->trace = (struct trace){0};
    if (!trace_read(&one->trace, &one->arena, buf_str(&one->message)) ||
        (j->answers && !trace_ask(&one->trace))) {
        return no_memory();
    }
    if (j->answers) {
        answers_add(j->answers, &one->trace, !j->source.cut);
    }
    return EX_OK;
}

static bool window_is_full(const struct judging *j)
{
    return !j->answers || j->count == WINDOW_MAX || j->octets > WINDOW_OCTETS;
}

static int tell_trouble(const struct judging *j, int error)
{
    const char *path = j->options->file ? j->options->file : "standard input";
    if (error == -EISDIR) {
        (void)fprintf(stderr, "postrider trace: %s is a folder: --all judges each message in it\n",
                      path);
        return EX_USAGE;
    }
    (void)fprintf(stderr, "postrider trace: %s: %s\n", path, strerror(-error));
    return error == -ENOMEM ? EX_OSERR : error == -EIO ? EX_IOERR : EX_NOINPUT;
}

static int judge_source(struct judging *j)
{
    int found = source_open(&j->source);
    int code = EX_OK;
    while (found == 0 && code == EX_OK && (found = source_next(&j->source)) == 1) {
        found = 0;
        code = take(j);
        if (code == EX_OK && window_is_full(j)) {
            code = judge_window(j);
        }
    }
    if (code == EX_OK && found < 0) {
        code = tell_trouble(j, found);
    }
    int last = judge_window(j);
    return code != EX_OK ? code : last;
}

/* A single message: something must be there. */
static int judge_single(struct judging *j)
{
    struct header_field field;
    int found = source_open(&j->source);
    found = found == 0 ? source_next(&j->source) : found;
    if (found < 0) {
        return tell_trouble(j, found);
    }
    struct header_iter it = header_begin(buf_str(&j->source.message));
    if (found == 0 || !header_next(&it, &field)) {
        (void)fprintf(stderr, "postrider trace: this is no message: it has no header\n");
        return EX_DATAERR;
    }
    if (j->source.more) {
        (void)fprintf(stderr, "postrider trace: the first message of an mbox: --all judges each\n");
    }
    int code = take(j);
    int last = judge_window(j);
    return code != EX_OK ? code : last;
}

static bool is_of_queue(const char *file)
{
    struct queue_id id;
    return file && access(file, F_OK) != 0 && queue_id_parse(str_from_cstr(file), &id) &&
           id.value != 0;
}

static int judge_queued(struct judging *j, const struct config *config)
{
    int code = queued_message(config->control_path, j->options->file, &j->source.message);
    if (code == EX_OK) {
        buf_add_format(&j->source.name, "message %s of the queue", j->options->file);
        code = take(j);
    }
    int last = judge_window(j);
    return code != EX_OK ? code : last;
}

static int open_dns(struct judging *j, const struct config *config)
{
    const struct trace_options *o = j->options;
    char reason[256] = "";
    struct str server = str_from_cstr(o->dns);
    struct dns_service_options dns = {.trust_anchor = str_from_cstr(o->trust_anchor),
                                      .limit = SPAN_S(ANSWER_SECONDS)};
    if (config) {
        dns.servers = config->dns_servers;
        dns.server_count = config->dns_server_count;
        dns.trust_anchor = o->trust_anchor ? dns.trust_anchor : config->trust_anchor;
    }
    if (o->dns) {
        dns.servers = &server;
        dns.server_count = 1;
    }
    j->answers = answers_new(&dns, reason, sizeof reason);
    if (!j->answers) {
        (void)fprintf(stderr, "postrider trace: no DNS: %s; --offline asks none\n", reason);
        return EX_OSERR;
    }
    return EX_OK;
}

static int run(struct judging *j, const struct config *config)
{
    const struct trace_options *o = j->options;
    int code = o->offline ? EX_OK : open_dns(j, config);
    if (code != EX_OK) {
        return code;
    }
    progress_begin(&j->progress, o->all);
    code = is_of_queue(o->file) ? judge_queued(j, config)
           : o->all             ? judge_source(j)
                                : judge_single(j);
    progress_end(&j->progress, j->source.unreadable);
    return fflush(stdout) == 0 ? code : EX_IOERR;
}

bool trace_needs_config(const struct trace_options *o)
{
    return o->config || (!o->offline && !o->dns) || is_of_queue(o->file);
}

int trace_judge_messages(const struct trace_options *o, const struct config *config)
{
    struct judging *j = calloc(1, sizeof *j);
    if (!j) {
        return no_memory();
    }
    bool named = o->name_count + o->network_count > 0;
    j->options = o;
    j->trust = (struct trace_trust){.names = named || !config ? o->names : &config->hostname,
                                    .name_count = named || !config ? o->name_count : 1,
                                    .networks = o->networks,
                                    .network_count = o->network_count,
                                    /* a network alone does not tell who wrote the top */
                                    .top = o->name_count == 0};
    j->style = text_style_of_stdout();
    j->now = (int64_t)time(NULL);
    j->source.path = o->file;
    j->source.all = o->all;
    j->source.keep = o->offline ? KEEP_HEADER : o->all ? KEEP_WHOLE_OF_ALL : KEEP_WHOLE;
    int code = run(j, config);
    source_close(&j->source);
    answers_free(j->answers);
    buf_done(&j->out);
    for (size_t i = 0; i < WINDOW_MAX; i++) {
        arena_done(&j->window[i].arena);
        buf_done(&j->window[i].message);
        buf_done(&j->window[i].name);
    }
    free(j);
    return code;
}
