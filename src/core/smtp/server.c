#include "core/smtp/server.h"

#include "core/smtp/server_inside.h"

/* What the caller refuses is not the client's fault as bad commands are; but a client that tries
 * names without end is stopped too. A list with old names in it, of which as many are good, is not.
 */
enum { REFUSALS_AN_ERROR = 10 };

static bool errs_too_much(const struct smtp_server *s)
{
    uint32_t refusals = s->refusals > s->rcpts ? s->refusals - s->rcpts : 0;
    return s->options->error_max > 0 &&
           refusals / REFUSALS_AN_ERROR + s->errors >= s->options->error_max;
}

void smtp_server_init(struct smtp_server *s, const struct smtp_server_options *options,
                      struct buf *out, bool lmtp)
{
    *s = (struct smtp_server){.options = options,
                              .out = out,
                              .lmtp = lmtp,
                              .state = STATE_START,
                              .phase = SERVER_AT_COMMAND};
}

void smtp_server_done(struct smtp_server *s)
{
    line_done(&s->line);
}

void smtp_server_greet(struct smtp_server *s)
{
    buf_add(s->out, STR("220 "));
    buf_add(s->out, s->options->hostname);
    buf_add(s->out, s->lmtp ? STR(" LMTP Postrider\r\n") : STR(" ESMTP Postrider\r\n"));
}

void smtp_server_secured(struct smtp_server *s)
{
    struct smtp_server fresh = {.options = s->options,
                                .out = s->out,
                                .lmtp = s->lmtp,
                                .state = STATE_START,
                                .errors = s->errors,
                                .refusals = s->refusals,
                                .empty = s->empty,
                                .ending = s->ending,
                                .phase = SERVER_AT_COMMAND};
    line_done(&s->line);
    *s = fresh;
}

bool smtp_server_in_body(const struct smtp_server *s)
{
    return s->phase == SERVER_AT_DATA || s->phase == SERVER_AT_CHUNK;
}

bool smtp_server_is_asking(const struct smtp_server *s)
{
    return s->phase == SERVER_ASKING;
}

bool smtp_server_is_idle(const struct smtp_server *s)
{
    return s->phase == SERVER_AT_COMMAND && line_idle(&s->line);
}

void smtp_server_end(struct smtp_server *s, const struct smtp_reply *reply)
{
    s->ending = reply;
}

void server_say(struct smtp_server *s, const struct smtp_reply *reply)
{
    smtp_reply_format(s->out, reply);
    if (reply->code == 421) {
        s->phase = SERVER_CLOSED;
    }
}

void server_forget(struct smtp_server *s)
{
    s->state = s->state == STATE_START ? STATE_START : STATE_READY;
    s->rcpts = 0;
    s->rcpt_tried = false;
    s->binary = false;
    s->fault = NULL;
    s->fault_told = false;
    s->passed_over = 0;
    s->data = (struct data_decoder){0};
}

enum server_event_kind server_refuse(struct smtp_server *s, enum answer answer)
{
    server_say(s, smtp_answer(answer));
    s->errors++;
    if (s->errors >= s->options->error_max && s->options->error_max > 0) {
        server_say(s, smtp_answer(ANSWER_TOO_MANY_ERRORS));
    }
    return s->phase == SERVER_CLOSED ? SERVER_CLOSE : SERVER_MORE;
}

static enum server_event_kind ask(struct smtp_server *s, enum verb verb,
                                  enum server_event_kind kind)
{
    s->asked = (uint8_t)verb;
    s->phase = SERVER_ASKING;
    s->answers_left = 1;
    return kind;
}

static enum server_event_kind reset(struct smtp_server *s, struct server_event *event)
{
    bool begun = s->state != STATE_START && s->state != STATE_READY;
    server_forget(s);
    event->reason = ABORT_RESET;
    return begun ? SERVER_ABORT : SERVER_MORE;
}

static enum server_event_kind on_hello(struct smtp_server *s, const struct command *c,
                                       struct server_event *event)
{
    if (s->lmtp != (c->verb == VERB_LHLO)) {
        return server_refuse(s, s->lmtp ? ANSWER_USE_LHLO : ANSWER_USE_EHLO);
    }
    /* An EHLO in the middle of a transaction ends it (RFC 5321 4.1.4); the HELO event follows when
     * the abort has been told. */
    if (s->state != STATE_START && s->state != STATE_READY) {
        s->phase = SERVER_HELLO_AGAIN;
        return reset(s, event);
    }
    return ask(s, c->verb, SERVER_HELO);
}

static enum server_event_kind on_mail(struct smtp_server *s, const struct command *c)
{
    if (c->path.unqualified && !s->options->take_unqualified) {
        return server_refuse(s, ANSWER_SENDER_SYNTAX);
    }
    if (c->mail.size_given && s->options->message_max > 0 &&
        c->mail.size > s->options->message_max) {
        return server_refuse(s, ANSWER_TOO_BIG);
    }
    if (c->mail.by.mode == BY_RETURN && SPAN_S(c->mail.by.seconds).us < s->options->by_min.us) {
        return server_refuse(s, ANSWER_BY_TOO_SOON);
    }
    s->binary = c->mail.body == BODY_BINARYMIME;
    return ask(s, VERB_MAIL, SERVER_MAIL);
}

static enum server_event_kind on_rcpt(struct smtp_server *s, const struct command *c)
{
    bool utf8 = !c->path.postmaster && (c->path.mailbox.utf8 || c->path.mailbox.domain.utf8);
    s->rcpt_tried = true;
    if (c->path.unqualified && !s->options->take_unqualified) {
        return server_refuse(s, ANSWER_ADDRESS_SYNTAX);
    }
    if (utf8 && !s->smtputf8) {
        return server_refuse(s, ANSWER_NEEDS_UTF8);
    }
    if (s->rcpts >= s->options->rcpt_max) {
        /* Not the client's fault (RFC 5321 4.5.3.1.10), unless it goes on and on. */
        s->empty++;
        server_say(s, smtp_answer(ANSWER_TOO_MANY_RCPTS));
        return SERVER_MORE;
    }
    return ask(s, VERB_RCPT, SERVER_RCPT);
}

static enum server_event_kind on_help(struct smtp_server *s, const struct command *c)
{
    struct buf text = {0};
    bool known = command_help(&text, c->argument);
    struct smtp_reply reply = {.code = known ? 214 : 504,
                               .status = known ? (struct status_code){2, 0, 0}
                                               : (struct status_code){5, 5, 4},
                               .text = buf_str(&text)};
    server_say(s, text.failed ? smtp_answer(ANSWER_NO_MEMORY) : &reply);
    buf_done(&text);
    return SERVER_MORE;
}

static enum server_event_kind on_auth(struct smtp_server *s)
{
    if (s->authenticated || s->options->mechanisms.len == 0) {
        return server_refuse(s, s->authenticated ? ANSWER_AUTH_TWICE : ANSWER_NO_AUTH);
    }
    return ask(s, VERB_AUTH, SERVER_AUTH);
}

/* What EHLO did not tell of is unknown here (RFC 5321 4.1.1.11). */
static bool offered(const struct smtp_server_options *o, const struct mail_params *p)
{
    bool held = p->hold_for.us != 0 || p->hold_until.us != 0;
    return (!p->require_tls || o->offer_requiretls) && (!held || o->hold_max.us > 0) &&
           (!p->priority_given || o->offer_priority) && (p->by.mode == BY_NONE || o->by_min.us > 0);
}

static enum server_event_kind act(struct smtp_server *s, const struct command *c,
                                  struct server_event *event)
{
    switch (c->verb) {
    case VERB_HELO:
    case VERB_EHLO:
    case VERB_LHLO:
        return on_hello(s, c, event);
    case VERB_MAIL:
        if (!offered(s->options, &c->mail)) {
            return server_refuse(s, ANSWER_UNKNOWN_PARAMETER);
        }
        s->smtputf8 = c->mail.smtputf8;
        return on_mail(s, c);
    case VERB_RCPT:
        return on_rcpt(s, c);
    case VERB_DATA:
        return s->binary ? server_refuse(s, ANSWER_NEEDS_BDAT) : ask(s, VERB_DATA, SERVER_DATA);
    case VERB_BDAT:
        return server_begin_chunk(s, c);
    case VERB_RSET:
        server_say(s, smtp_answer(ANSWER_RESET));
        return reset(s, event);
    case VERB_NOOP:
        server_say(s, smtp_answer(ANSWER_NOOP));
        return SERVER_MORE;
    case VERB_QUIT:
        server_say(s, smtp_answer(ANSWER_BYE));
        s->phase = SERVER_CLOSED;
        return SERVER_QUIT;
    case VERB_VRFY:
        return ask(s, VERB_VRFY, SERVER_VRFY);
    case VERB_EXPN:
        return ask(s, VERB_EXPN, SERVER_EXPN);
    case VERB_HELP:
        return on_help(s, c);
    case VERB_STARTTLS:
        return s->options->offer_starttls ? ask(s, VERB_STARTTLS, SERVER_STARTTLS)
                                          : server_refuse(s, ANSWER_NO_TLS);
    case VERB_AUTH:
        return on_auth(s);
    case VERB_HTTP:
        server_say(s, smtp_answer(ANSWER_NOT_HTTP));
        s->phase = SERVER_CLOSED;
        return SERVER_CLOSE;
    case VERB_UNSUPPORTED:
        break;
    }
    return server_refuse(s, ANSWER_NOT_IMPLEMENTED);
}

static enum answer judge(const struct smtp_server *s, const struct command *c, enum answer syntax)
{
    if (syntax == ANSWER_UNKNOWN_COMMAND || syntax == ANSWER_CONTROL_CHARACTER) {
        return syntax;
    }
    enum answer order = command_allowed(c->verb, (enum command_state)s->state);
    if (order != ANSWER_OK) {
        bool all_refused = s->state == STATE_MAIL && s->rcpt_tried;
        bool wants_rcpt = order == ANSWER_RCPT_FIRST && all_refused;
        return wants_rcpt ? ANSWER_NO_VALID_RCPT : order;
    }
    return syntax;
}

/* What a client may say now and then, and not without end: it costs, and brings no mail. */
static bool brings_no_message(enum verb verb)
{
    static const bool empty[] = {
        [VERB_HELO] = true, [VERB_EHLO] = true, [VERB_LHLO] = true, [VERB_RSET] = true,
        [VERB_NOOP] = true, [VERB_VRFY] = true, [VERB_EXPN] = true, [VERB_HELP] = true,
    };
    return verb < ARRAY_LEN(empty) && empty[verb];
}

static bool talks_too_much(struct smtp_server *s, enum verb verb)
{
    s->empty += brings_no_message(verb);
    return s->options->empty_max > 0 && s->empty > s->options->empty_max;
}

enum server_event_kind server_give_up(struct smtp_server *s, const struct smtp_reply *why)
{
    server_say(s, why);
    s->phase = SERVER_CLOSED;
    return SERVER_CLOSE;
}

static enum server_event_kind take_command(struct smtp_server *s, struct str *bytes,
                                           struct command *c, struct server_event *event)
{
    struct str line = {0};
    enum line_result result = line_take(&s->line, bytes, &line);
    if (result == LINE_MORE) {
        return SERVER_MORE;
    }
    if (s->ending || result == LINE_ENDLESS) {
        return server_give_up(s, s->ending ? s->ending : smtp_answer(ANSWER_LINE_TOO_LONG));
    }
    if (result != LINE_WHOLE) {
        return server_refuse(s, result == LINE_BARE       ? ANSWER_BARE_LINE_END
                                : result == LINE_OVERLONG ? ANSWER_LINE_TOO_LONG
                                                          : ANSWER_NO_MEMORY);
    }
    enum answer answer = judge(s, c, command_parse(line, c));
    event->command = c;
    if (answer == ANSWER_OK && talks_too_much(s, c->verb)) {
        return server_give_up(s, smtp_answer(ANSWER_TOO_MUCH_TALK));
    }
    if (answer == ANSWER_OK) {
        return act(s, c, event);
    }
    if (c->verb == VERB_BDAT && c->chunk_known) {
        return server_drain_chunk(s, c, answer);
    }
    return server_refuse(s, answer);
}

/* A line of an exchange of AUTH, which `*` breaks off (RFC 4954 section 4). */
static enum server_event_kind take_response(struct smtp_server *s, struct str *bytes,
                                            struct server_event *event)
{
    struct str line = {0};
    enum line_result result = line_take(&s->line, bytes, &line);
    if (result == LINE_MORE) {
        return SERVER_MORE;
    }
    s->phase = SERVER_AT_COMMAND;
    if (result == LINE_ENDLESS) {
        return server_give_up(s, smtp_answer(ANSWER_LINE_TOO_LONG));
    }
    if (s->ending) {
        server_say(s, s->ending);
    } else if (result != LINE_WHOLE || str_eq(line, STR("*"))) {
        bool cancelled = result == LINE_WHOLE;
        (void)server_refuse(s, cancelled ? ANSWER_AUTH_CANCELLED : ANSWER_AUTH_MALFORMED);
    } else {
        event->body = line;
        return ask(s, VERB_AUTH, SERVER_RESPONSE);
    }
    return SERVER_AUTH_END;
}

enum server_event_kind smtp_server_next(struct smtp_server *s, struct str *bytes,
                                        struct command *command, struct server_event *event)
{
    s->line.may_be_long = s->options->mechanisms.len > 0 && !s->authenticated;
    for (;;) {
        *event = (struct server_event){0};
        enum server_event_kind kind = SERVER_MORE;
        switch ((enum server_phase)s->phase) {
        case SERVER_AT_COMMAND:
            kind = take_command(s, bytes, command, event);
            break;
        case SERVER_HELLO_AGAIN:
            event->command = command;
            return ask(s, command->verb, SERVER_HELO);
        case SERVER_AT_DATA:
            kind = server_take_data(s, bytes, event);
            break;
        case SERVER_AT_CHUNK:
            kind = server_take_chunk(s, bytes, event);
            break;
        case SERVER_AT_RESPONSE:
            kind = take_response(s, bytes, event);
            break;
        case SERVER_ASKING:
        case SERVER_SECURING:
            return SERVER_WAIT;
        case SERVER_CLOSED:
            return SERVER_CLOSE;
        }
        bool chunk_is_whole = s->phase == SERVER_AT_CHUNK && s->chunk_left == 0;
        bool more = bytes->len > 0 || chunk_is_whole || s->phase == SERVER_CLOSED;
        if (kind != SERVER_MORE || !more) {
            return kind;
        }
    }
}

/* What follows from the answer to the question that is open. */
static void settle(struct smtp_server *s, bool yes)
{
    s->phase = SERVER_AT_COMMAND;
    switch ((enum verb)s->asked) {
    case VERB_HELO:
    case VERB_EHLO:
    case VERB_LHLO:
        s->extended = yes ? s->asked != VERB_HELO : s->extended;
        s->state = yes ? STATE_READY : s->state;
        break;
    case VERB_MAIL:
        s->state = yes ? STATE_MAIL : STATE_READY;
        s->binary = s->binary && yes;
        break;
    case VERB_RCPT:
        s->state = yes ? STATE_RCPT : s->state;
        s->rcpts += yes;
        break;
    case VERB_DATA:
        break;
    case VERB_BDAT: /* the end of a message, whichever way it came */
        if (yes) {
            s->empty = s->errors = s->refusals = 0; /* a connection may be of use for days */
        }
        server_forget(s);
        break;
    case VERB_RSET:
    case VERB_NOOP:
    case VERB_QUIT:
    case VERB_VRFY:
    case VERB_EXPN:
    case VERB_HELP:
        break;
    case VERB_STARTTLS:
        s->phase = yes ? SERVER_SECURING : SERVER_AT_COMMAND;
        break;
    case VERB_UNSUPPORTED:
    case VERB_HTTP:
        break;
    case VERB_AUTH:
        s->authenticated = yes;
        s->errors += !yes;
        break;
    }
}

void smtp_server_reply(struct smtp_server *s, const struct smtp_reply *reply)
{
    if (s->phase != SERVER_ASKING) {
        return;
    }
    bool yes = reply->code / 100 == 2 || reply->code == 354;
    if (s->asked == VERB_DATA && reply->code == 354) {
        smtp_reply_format(s->out, reply);
        s->phase = SERVER_AT_DATA;
        s->data = data_decoder_begin(DATA_DOTS, s->options->normalise);
        return;
    }
    smtp_reply_format(s->out, reply);
    if (s->asked == VERB_AUTH && reply->code == 334) {
        s->phase = SERVER_AT_RESPONSE;
        return;
    }
    s->refusals += reply->code / 100 == 5;
    s->answers_left--;
    if (s->answers_left == 0) {
        settle(s, yes);
    }
    if (reply->code == 421) {
        s->phase = SERVER_CLOSED;
    } else if (s->phase == SERVER_AT_COMMAND && errs_too_much(s)) {
        server_say(s, smtp_answer(ANSWER_TOO_MANY_ERRORS));
    }
}

void smtp_server_accept(struct smtp_server *s)
{
    static const struct {
        enum verb verb;
        enum answer answer;
    } usual[] = {{VERB_MAIL, ANSWER_SENDER_OK},    {VERB_RCPT, ANSWER_RCPT_OK},
                 {VERB_DATA, ANSWER_GO_AHEAD},     {VERB_BDAT, ANSWER_QUEUED},
                 {VERB_AUTH, ANSWER_AUTH_OK},      {VERB_STARTTLS, ANSWER_TLS_READY},
                 {VERB_VRFY, ANSWER_NOT_VERIFIED}, {VERB_EXPN, ANSWER_EXPN_REFUSED}};
    if (s->phase == SERVER_ASKING && (s->asked == VERB_EHLO || s->asked == VERB_LHLO)) {
        keyword_reply(s->out, s->options, s->now);
        settle(s, true);
        return;
    }
    if (s->asked == VERB_HELO) {
        struct smtp_reply hello = {.code = 250, .text = s->options->hostname};
        smtp_server_reply(s, &hello);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
        if (usual[i].verb == s->asked) {
            smtp_server_reply(s, smtp_answer(usual[i].answer));
            return;
        }
    }
}
