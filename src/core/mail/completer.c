#include "core/mail/completer.h"

#include <string.h>

/* What has come of an address. */
enum part {
    PART_NONE,
    PART_LOCAL, /* a local part, whole so far */
    PART_DOT,   /* …of which more must follow */
    PART_AT,
    PART_HOST,  /* one label of a domain */
    PART_OTHER, /* it stays as it is, whatever it is */
};

enum lexis { LEXIS_PLAIN, LEXIS_COMMENT, LEXIS_QUOTES, LEXIS_LITERAL };

enum fate { FATE_GOES_ON, FATE_IS_HELD, FATE_WAITS /* for what is held or inserted before it */ };

bool completer_wants(struct str name)
{
    static const struct str names[] = {
        STR_INIT("From"),
        STR_INIT("Sender"),
        STR_INIT("Reply-To"),
        STR_INIT("To"),
        STR_INIT("Cc"),
        STR_INIT("Resent-From"),
        STR_INIT("Resent-Sender"),
        STR_INIT("Resent-Reply-To"),
        STR_INIT("Resent-To"),
        STR_INIT("Resent-Cc"),
        STR_INIT("Disposition-Notification-To"),
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq_nocase(name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 5322 3.2.3 and RFC 6532 3.2; specials and controls are none. */
static bool is_atext(char c)
{
    unsigned char octet = (unsigned char)c;
    return octet > ' ' && octet != 0x7f && str_find(STR("()<>[]:;@\\,.\""), c) == STR_NONE;
}

static void begin_word(struct completer *c, bool quoted)
{
    switch ((enum part)c->at.part) {
    case PART_NONE:
    case PART_DOT:
        c->at.part = PART_LOCAL;
        break;
    case PART_AT:
        c->at.part = quoted ? PART_OTHER : PART_HOST;
        break;
    case PART_LOCAL:
    case PART_HOST:
    case PART_OTHER:
        c->at.part = PART_OTHER; /* a phrase, or nothing that is known */
        break;
    }
    c->at.word_len = 0;
}

static void take_atext(struct completer *c, char octet)
{
    if (!c->at.word_open) {
        begin_word(c, false);
        c->at.word_open = true;
        c->at.word_first = octet;
    }
    c->at.word_len++;
    bool encoded = c->at.part == PART_LOCAL && c->at.word_len == 2 && c->at.word_first == '=' &&
                   octet == '?'; /* RFC 2047 */
    bool long_label = c->at.part == PART_HOST && c->at.label_len == COMPLETER_LABEL_MAX;
    if (encoded || long_label) {
        c->at.part = PART_OTHER;
    } else if (c->at.part == PART_HOST) {
        c->label[c->at.label_len++] = octet;
    }
}

static void end_address(struct completer *c)
{
    c->at.part = PART_NONE;
    c->at.angled = false;
}

static void open_angle(struct completer *c)
{
    /* "<a> <b>": readers differ in which of them it names. */
    c->at.damaged = c->at.damaged || c->at.angle || c->at.angled;
    c->at.angle = true;
    c->at.part = PART_NONE;
}

static void close_angle(struct completer *c)
{
    c->at.damaged = c->at.damaged || !c->at.angle;
    c->at.angle = false;
    c->at.angled = true;
    c->at.part = PART_OTHER;
}

static void take_special(struct completer *c, char octet)
{
    c->at.word_open = false;
    if (octet == '"') {
        begin_word(c, true);
        c->at.lexis = LEXIS_QUOTES;
        c->at.blank = false;
    } else if (octet == '[') {
        c->at.lexis = LEXIS_LITERAL;
        c->at.part = PART_OTHER;
    } else if (octet == '(') {
        c->at.lexis = LEXIS_COMMENT;
        c->at.depth = 1;
    } else if (octet == '<') {
        open_angle(c);
    } else if (octet == '>') {
        close_angle(c);
    } else if ((octet == ',' || octet == ';') && !c->at.angle) {
        end_address(c);
    } else if (octet == ':' && !c->at.angle) {
        c->at.damaged = c->at.damaged || c->at.angled;
        c->at.part = PART_NONE; /* it was a group's name */
    } else if (octet == '.' && c->at.part == PART_LOCAL) {
        c->at.part = PART_DOT;
    } else if (octet == '@' && c->at.part == PART_LOCAL) {
        c->at.part = PART_AT;
        c->at.label_len = 0;
    } else if (!is_blank(octet)) {
        c->at.part = PART_OTHER;
    }
}

/* Inside a comment, quotes or a literal. */
static void take_enclosed(struct completer *c, char octet)
{
    c->at.blank = c->at.blank || is_blank(octet);
    if (c->at.escaped) {
        c->at.escaped = false;
    } else if (octet == '\\') {
        c->at.escaped = true;
    } else if (c->at.lexis == LEXIS_COMMENT) {
        c->at.depth = c->at.depth + (octet == '(') - (octet == ')');
        c->at.lexis = c->at.depth > 0 ? LEXIS_COMMENT : LEXIS_PLAIN;
    } else if (octet == (c->at.lexis == LEXIS_QUOTES ? '"' : ']')) {
        /* `"Jim Smith"` alone is rather a name than an address. */
        bool name = c->at.lexis == LEXIS_QUOTES && c->at.blank && !c->at.angle;
        c->at.part = name ? PART_OTHER : c->at.part;
        c->at.lexis = LEXIS_PLAIN;
    }
}

static void take_octet(struct completer *c, char octet)
{
    if (c->at.lexis != LEXIS_PLAIN) {
        take_enclosed(c, octet);
    } else if (is_atext(octet)) {
        take_atext(c, octet);
    } else {
        take_special(c, octet);
    }
}

/* The length of what is to be inserted if the address ends here. */
static size_t missing(const struct completer *c)
{
    size_t n = c->completion->domain.len + 1;
    bool host = c->at.part == PART_HOST &&
                completion_of_host(c->completion, str_from(c->label, c->at.label_len));
    bool wanted =
        c->at.lexis == LEXIS_PLAIN && !c->at.damaged && (c->at.part == PART_LOCAL || host);
    bool room = n > 1 && n <= COMPLETER_INSERT_MAX && c->inserted + n <= COMPLETER_INSERTED_MAX;
    return wanted && room ? n : 0;
}

static bool is_end(const struct completer *c, char octet)
{
    return c->at.lexis == LEXIS_PLAIN &&
           (c->at.angle ? octet == '>' : octet == ',' || octet == ';');
}

static enum fate fate_of(const struct completer *c, char octet)
{
    bool after_name = c->at.part == PART_LOCAL || c->at.part == PART_HOST;
    bool begins = c->at.lexis == LEXIS_PLAIN && after_name && (is_blank(octet) || octet == '(');
    bool in_comment = c->at.lexis == LEXIS_COMMENT && c->at.held_len > 0;
    if (begins || in_comment) {
        return c->at.held_len < COMPLETER_HELD_MAX ? FATE_IS_HELD : FATE_WAITS;
    }
    bool inserts = is_end(c, octet) && missing(c) > 0;
    return c->at.held_len > 0 || inserts ? FATE_WAITS : FATE_GOES_ON;
}

/* What is held goes on, after the `n` octets that are missing before it. */
static bool release(struct completer *c, size_t n, struct str *piece)
{
    char *begin = c->text + COMPLETER_INSERT_MAX - n;
    if (n > 0) {
        *begin = c->at.part == PART_LOCAL ? '@' : '.';
        memcpy(begin + 1, c->completion->domain.ptr, n - 1);
        c->inserted += (uint32_t)n;
        c->at.part = PART_OTHER;
    } else if (c->at.held_len == COMPLETER_HELD_MAX) {
        c->at.part = PART_OTHER;
    }
    *piece = str_from(begin, n + c->at.held_len);
    c->at.held_len = 0;
    return piece->len > 0;
}

bool completer_take(struct completer *c, struct str *bytes, struct str *piece)
{
    size_t n = 0;
    while (n < bytes->len && fate_of(c, bytes->ptr[n]) == FATE_GOES_ON) {
        take_octet(c, bytes->ptr[n++]);
    }
    if (n > 0) {
        *piece = str_head(*bytes, n);
        *bytes = str_tail(*bytes, n);
        return true;
    }
    while (n < bytes->len && fate_of(c, bytes->ptr[n]) == FATE_IS_HELD) {
        c->text[COMPLETER_INSERT_MAX + c->at.held_len++] = bytes->ptr[n];
        take_octet(c, bytes->ptr[n++]);
    }
    *bytes = str_tail(*bytes, n);
    return bytes->len > 0 && release(c, is_end(c, bytes->ptr[0]) ? missing(c) : 0, piece);
}

bool completer_end(struct completer *c, struct str *piece)
{
    bool some = release(c, c->at.angle ? 0 : missing(c), piece);
    c->at = (struct completer_place){0};
    return some;
}
