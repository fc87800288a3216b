#include "core/smtp/command.h"

enum {
    LINE_PLAIN = 512,
    LINE_MAIL = LINE_MAX_OCTETS, /* SIZE 26, BODY 17, SMTPUTF8 10, RET and ENVID 116, HOLD… 34,
                                    MT-PRIORITY 15, BY 17 */
    LINE_RCPT = LINE_MAX_OCTETS, /* NOTIFY 28, ORCPT 507 */
    LINE_AUTH = LINE_LONG_OCTETS,
    LINE_UTF8 = LINE_PLAIN + 10, /* VRFY, EXPN with SMTPUTF8 */
    ANY = STATE_START | STATE_READY | STATE_MAIL | STATE_RCPT | STATE_BDAT,
};

typedef enum answer read_argument(struct str text, struct command *c);
static read_argument no_argument, any_argument, some_argument, helo, mail, rcpt, bdat, lookup;

struct rule {
    struct str name;
    enum verb verb;
    unsigned states; /* where not: command_allowed() says what is missing */
    size_t line_max; /* octets with CR LF */
    read_argument *read;
    const char *syntax;
    const char *help; /* null: not told of */
};

/* clang-format off */
static const struct rule rules[] = {
    {STR_INIT("HELO"), VERB_HELO, ANY, LINE_PLAIN, helo, "HELO name", "Says who you are, without extensions."},
    {STR_INIT("EHLO"), VERB_EHLO, ANY, LINE_PLAIN, helo, "EHLO name", "Says who you are; the reply lists the extensions."},
    {STR_INIT("LHLO"), VERB_LHLO, ANY, LINE_PLAIN, helo, "LHLO name", "The same, for LMTP."},
    {STR_INIT("MAIL"), VERB_MAIL, STATE_READY, LINE_MAIL, mail, "MAIL FROM:<sender> [SIZE= BODY= SMTPUTF8 RET= ENVID= HOLDFOR= MT-PRIORITY= BY=]",
     "Begins a message; <> is the null sender."},
    {STR_INIT("RCPT"), VERB_RCPT, STATE_MAIL | STATE_RCPT, LINE_RCPT, rcpt, "RCPT TO:<recipient> [NOTIFY= ORCPT=]",
     "Names one recipient; give it again for each."},
    {STR_INIT("DATA"), VERB_DATA, STATE_RCPT, LINE_PLAIN, no_argument, "DATA", "Then send the message, and a line with only a dot."},
    {STR_INIT("BDAT"), VERB_BDAT, STATE_RCPT | STATE_BDAT, LINE_PLAIN, bdat, "BDAT size [LAST]",
     "Then send so many octets of the message, without waiting."},
    {STR_INIT("RSET"), VERB_RSET, ANY, LINE_PLAIN, no_argument, "RSET", "Forgets the message begun."},
    {STR_INIT("NOOP"), VERB_NOOP, ANY, LINE_PLAIN, any_argument, "NOOP [text]", "Does nothing."},
    {STR_INIT("QUIT"), VERB_QUIT, ANY, LINE_PLAIN, no_argument, "QUIT", "Ends the session."},
    {STR_INIT("VRFY"), VERB_VRFY, ANY, LINE_UTF8, lookup, "VRFY name-or-address", "Asks whether a mailbox exists."},
    {STR_INIT("EXPN"), VERB_EXPN, ANY, LINE_UTF8, lookup, "EXPN list", "Asks for the members of a list."},
    {STR_INIT("HELP"), VERB_HELP, ANY, LINE_PLAIN, any_argument, "HELP [command]", "Tells about a command."},
    {STR_INIT("STARTTLS"), VERB_STARTTLS, STATE_START | STATE_READY, LINE_PLAIN, no_argument, "STARTTLS", "Makes the connection private."},
    {STR_INIT("AUTH"), VERB_AUTH, STATE_READY, LINE_AUTH, some_argument, "AUTH mechanism [initial-response]", "Logs you in."},
    {STR_INIT("TURN"), VERB_UNSUPPORTED, ANY, LINE_PLAIN, any_argument, "TURN", NULL},
    {STR_INIT("ETRN"), VERB_UNSUPPORTED, ANY, LINE_PLAIN, any_argument, "ETRN", NULL},
    {STR_INIT("ATRN"), VERB_UNSUPPORTED, ANY, LINE_PLAIN, any_argument, "ATRN", NULL},
    {STR_INIT("SEND"), VERB_UNSUPPORTED, ANY, LINE_PLAIN, any_argument, "SEND", NULL},
    {STR_INIT("SOML"), VERB_UNSUPPORTED, ANY, LINE_PLAIN, any_argument, "SOML", NULL},
    {STR_INIT("SAML"), VERB_UNSUPPORTED, ANY, LINE_PLAIN, any_argument, "SAML", NULL},
    {STR_INIT("BURL"), VERB_UNSUPPORTED, ANY, LINE_PLAIN, any_argument, "BURL", NULL},
    {STR_INIT("GET"), VERB_HTTP, ANY, LINE_MAX_OCTETS, any_argument, "GET", NULL},
    {STR_INIT("POST"), VERB_HTTP, ANY, LINE_MAX_OCTETS, any_argument, "POST", NULL},
    {STR_INIT("PUT"), VERB_HTTP, ANY, LINE_MAX_OCTETS, any_argument, "PUT", NULL},
    {STR_INIT("CONNECT"), VERB_HTTP, ANY, LINE_MAX_OCTETS, any_argument, "CONNECT", NULL},
    {STR_INIT("OPTIONS"), VERB_HTTP, ANY, LINE_MAX_OCTETS, any_argument, "OPTIONS", NULL},
};
/* clang-format on */

static enum answer no_argument(struct str text, struct command *c)
{
    c->argument = text;
    return text.len == 0 ? ANSWER_OK : ANSWER_NO_ARGUMENT;
}

static enum answer any_argument(struct str text, struct command *c)
{
    c->argument = text;
    return ANSWER_OK;
}

static enum answer some_argument(struct str text, struct command *c)
{
    c->argument = text;
    return text.len > 0 ? ANSWER_OK : ANSWER_ARGUMENT_MISSING;
}

/* A domain or an address literal. Real clients send names with underscores, NetBIOS names and
 * broken literals: any printable ASCII without a space passes, what it is worth is found out later.
 */
static enum answer helo(struct str text, struct command *c)
{
    c->argument = text;
    bool fine = text.len > 0 && text.len <= 255;
    for (size_t i = 0; i < text.len; i++) {
        char ch = text.ptr[i];
        fine = fine && ascii_is_print(ch) && ch != ' ' && ch != '(' && ch != ')' && ch != '<' &&
               ch != '>' && ch != '"' && ch != '\\' && ch != ';' && ch != ',' && ch != '@';
    }
    return fine ? ANSWER_OK : ANSWER_HELO_SYNTAX;
}

/* An address without its angle brackets, as people type it by hand: up to the next space. */
static enum mailbox_error bare_path(struct scan *sc, struct path *path)
{
    struct str text = scan_until(sc, ' ');
    *path = (struct path){0};
    return mailbox_parse(text, &path->mailbox);
}

typedef enum mailbox_error scan_path(struct scan *sc, struct path *path);

/* "FROM:" or "TO:", the path, and perhaps parameters, left in `*params`. */
static enum answer path_argument(struct str *text, struct str keyword, scan_path *scan,
                                 struct path *path)
{
    bool sender = scan == reverse_path_scan;
    struct scan sc = {.rest = *text};
    scan_word(&sc, keyword);
    scan_spaces(&sc);
    if (!scan_ok(&sc) || scan_at_end(&sc)) {
        return sender ? ANSWER_MAIL_SYNTAX : ANSWER_RCPT_SYNTAX;
    }
    struct scan at = sc;
    enum mailbox_error error = scan_peek(&sc) == '<' ? scan(&sc, path) : bare_path(&sc, path);
    if (error == MAILBOX_SYNTAX) {
        struct scan again = at;
        error = unqualified_path_scan(&again, path);
        sc = error == MAILBOX_SYNTAX ? sc : again;
    }
    if (error == MAILBOX_OK && !scan_at_end(&sc) && scan_peek(&sc) != ' ') {
        error = MAILBOX_SYNTAX;
    }
    if (error == MAILBOX_OK) {
        *text = sc.rest;
        return ANSWER_OK;
    }
    /* No closing bracket, or no address at all, is a fault of the address too. */
    bool too_long = error != MAILBOX_SYNTAX || at.rest.len > LINE_PLAIN;
    if (sender) {
        return too_long ? ANSWER_SENDER_TOO_LONG : ANSWER_SENDER_SYNTAX;
    }
    return too_long ? ANSWER_ADDRESS_TOO_LONG : ANSWER_ADDRESS_SYNTAX;
}

static enum answer param_answer(enum param_result result)
{
    return result == PARAM_OK        ? ANSWER_OK
           : result == PARAM_UNKNOWN ? ANSWER_UNKNOWN_PARAMETER
                                     : ANSWER_BAD_PARAMETER;
}

static enum answer mail(struct str text, struct command *c)
{
    enum answer answer = path_argument(&text, STR("FROM:"), reverse_path_scan, &c->path);
    if (answer == ANSWER_OK) {
        answer = param_answer(param_parse_mail(text, &c->mail));
    }
    if (answer == ANSWER_OK && !c->path.null && !c->mail.smtputf8 &&
        (c->path.mailbox.utf8 || c->path.mailbox.domain.utf8)) {
        answer = ANSWER_NEEDS_UTF8;
    }
    return answer;
}

static enum answer rcpt(struct str text, struct command *c)
{
    enum answer answer = path_argument(&text, STR("TO:"), forward_path_scan, &c->path);
    return answer == ANSWER_OK ? param_answer(param_parse_rcpt(text, &c->rcpt)) : answer;
}

static enum answer bdat(struct str text, struct command *c)
{
    struct str word = str_split(&text, ' ');
    struct str last = str_trim(text);
    c->chunk_known = str_to_u64(word, UINT64_MAX / 4, &c->chunk);
    c->last = str_eq_nocase(last, STR("LAST"));
    return c->chunk_known && (c->last || last.len == 0) ? ANSWER_OK : ANSWER_BDAT_SYNTAX;
}

static enum answer lookup(struct str text, struct command *c)
{
    struct str utf8 = STR(" SMTPUTF8");
    if (str_ends_nocase(text, utf8)) {
        c->smtputf8 = true;
        text = str_trim(str_head(text, text.len - utf8.len));
    }
    return some_argument(text, c);
}

static const struct rule *rule_of(enum verb verb)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (rules[i].verb == verb) {
            return &rules[i];
        }
    }
    return NULL;
}

static bool has_control(struct str line)
{
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return true;
        }
    }
    return false;
}

enum answer command_parse(struct str line, struct command *c)
{
    *c = (struct command){.verb = VERB_NOOP};
    struct str rest = line;
    struct str name = str_split(&rest, ' ');
    name = str_trim(name);
    const struct rule *rule = NULL;
    for (size_t i = 0; i < ARRAY_LEN(rules) && !rule; i++) {
        rule = str_eq_nocase(name, rules[i].name) ? &rules[i] : NULL;
    }
    if (has_control(line)) {
        return ANSWER_CONTROL_CHARACTER;
    }
    if (!rule) {
        return ANSWER_UNKNOWN_COMMAND;
    }
    c->verb = rule->verb;
    if (line.len + 2 > rule->line_max) {
        return ANSWER_LINE_TOO_LONG;
    }
    return rule->read(str_trim(rest), c);
}

enum answer command_allowed(enum verb verb, enum command_state state)
{
    const struct rule *rule = rule_of(verb);
    if (rule && (rule->states & (unsigned)state) != 0) {
        return ANSWER_OK;
    }
    switch (state) {
    case STATE_START:
        return ANSWER_HELO_FIRST;
    case STATE_READY:
        return ANSWER_MAIL_FIRST;
    case STATE_MAIL:
        return verb == VERB_MAIL || verb == VERB_AUTH || verb == VERB_STARTTLS ? ANSWER_MAIL_TWICE
                                                                               : ANSWER_RCPT_FIRST;
    case STATE_RCPT:
        return ANSWER_MAIL_TWICE;
    case STATE_BDAT:
        break;
    }
    return ANSWER_BDAT_BEGUN;
}

bool command_help(struct buf *out, struct str topic)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (rules[i].help && str_eq_nocase(topic, rules[i].name)) {
            buf_add_format(out, "%s\n%s", rules[i].syntax, rules[i].help);
            return true;
        }
    }
    buf_add(out, STR("Commands:"));
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (rules[i].help) {
            buf_add_char(out, ' ');
            buf_add(out, rules[i].name);
        }
    }
    buf_add(out, STR("\nHELP command tells more; RFC 5321 tells all."));
    return topic.len == 0;
}
