#include "path/session/header_filter.h"

#include <string.h>

enum state {
    AT_LINE, /* a line begins */
    IN_NAME, /* held back in `name`: it may be a field to drop */
    IN_REST,
};

static const struct str author_names[AUTHORS] = {
    [AUTHOR_FROM] = STR_INIT("From"),
    [AUTHOR_SENDER] = STR_INIT("Sender"),
    [AUTHOR_RESENT_FROM] = STR_INIT("Resent-From"),
    [AUTHOR_RESENT_SENDER] = STR_INIT("Resent-Sender"),
};

struct str header_author_name(enum header_author author)
{
    return author_names[author];
}

struct str header_author_value(const struct header_authors *authors, size_t i)
{
    size_t begin = i > 0 ? authors->fields[i - 1].end : 0;
    return str_from(authors->text + begin, authors->fields[i].end - begin);
}

static size_t authors_length(const struct header_authors *a)
{
    return a->count > 0 ? a->fields[a->count - 1].end : 0;
}

/* True: the field is one of those that are kept, and begins. */
static bool begin_author(struct header_authors *a, struct str name)
{
    for (size_t i = 0; i < AUTHORS; i++) {
        if (!str_eq_nocase(name, author_names[i])) {
            continue;
        }
        if (a->count == HEADER_AUTHORS_MAX) {
            a->cut = true;
            return false;
        }
        uint16_t end = (uint16_t)authors_length(a);
        a->fields[a->count].author = (uint8_t)i;
        a->fields[a->count++].end = end;
        return true;
    }
    return false;
}

static void keep_author(struct header_authors *a, struct str text)
{
    size_t length = authors_length(a);
    struct str kept = str_head(text, HEADER_AUTHORS_KEPT - length);
    if (kept.len > 0) {
        memcpy(a->text + length, kept.ptr, kept.len);
        a->fields[a->count - 1].end = (uint16_t)(length + kept.len);
    }
    a->cut = a->cut || kept.len < text.len;
}

static void judge_value(struct header_filter *f)
{
    struct str address = str_trim(str_from(f->value, f->value_len));
    if (f->keeping_required) {
        f->tls_optional = f->tls_optional || str_eq_nocase(address, STR("No"));
    } else if (f->keeping && f->delivered < HEADER_DELIVERED_MAX) {
        f->delivered++;
        for (size_t i = 0; i < f->envelope->rcpt_count; i++) {
            f->delivered_here =
                f->delivered_here || str_eq_nocase(address, f->envelope->rcpts[i].address);
        }
    }
    f->keeping = f->keeping_required = false;
    f->value_len = 0;
}

static void know_name(struct header_filter *f, struct str name)
{
    name = str_trim(name);
    f->received += str_eq_nocase(name, STR("Received"));
    f->has_date = f->has_date || str_eq_nocase(name, STR("Date"));
    f->has_message_id = f->has_message_id || str_eq_nocase(name, STR("Message-ID"));
    f->keeping_author = begin_author(&f->authors, name);
    f->keeping_required = str_eq_nocase(name, STR("TLS-Required"));
    f->keeping = f->keeping_required || str_eq_nocase(name, STR("Delivered-To"));
    f->sealed = f->sealed || str_eq_nocase(name, STR("DKIM-Signature"));
    f->completing =
        f->completer.completion && f->received == 0 && !f->sealed && completer_wants(name);
    f->dropping = f->submitted &&
                  (str_eq_nocase(name, STR("Bcc")) || str_eq_nocase(name, STR("Resent-Bcc")) ||
                   str_eq_nocase(name, STR("Return-Path")));
}

/* Takes the name's octets, one by one into `name`; true when it is known what line this is. */
static bool take_name(struct header_filter *f, struct str *bytes)
{
    while (bytes->len > 0 && f->name_len < HEADER_NAME_KEPT) {
        char c = bytes->ptr[0];
        *bytes = str_tail(*bytes, 1);
        f->name[f->name_len++] = c;
        if (c == ':') {
            know_name(f, str_from(f->name, f->name_len - 1));
            f->state = IN_REST;
            return true;
        }
        if (c == '\n') {
            /* The empty line, or one that is no field: here the body begins. */
            f->in_body = true;
            return true;
        }
    }
    if (f->name_len == HEADER_NAME_KEPT) {
        f->state = IN_REST; /* a name too long to be one of those above */
        return true;
    }
    return false;
}

static void keep_value(struct header_filter *f, struct str text)
{
    if (f->keeping_author) {
        keep_author(&f->authors, text);
    }
    text = str_head(text, HEADER_VALUE_KEPT - f->value_len);
    if (f->keeping && text.len > 0) {
        memcpy(f->value + f->value_len, text.ptr, text.len);
        f->value_len += text.len;
    }
}

/* The field is over; true: what was held of its value goes on. */
static bool end_value(struct header_filter *f, struct str *piece)
{
    bool goes_on = f->completing && completer_end(&f->completer, piece);
    f->completing = false;
    if (goes_on) {
        keep_value(f, *piece);
    }
    return goes_on;
}

/* Takes a line of a value, or its begin; true: something goes on. */
static bool take_value(struct header_filter *f, struct str *bytes, struct str *piece)
{
    const char *lf = memchr(bytes->ptr, '\n', bytes->len);
    struct str line = lf ? str_head(*bytes, (size_t)(lf - bytes->ptr) + 1) : *bytes;
    struct str rest = line;
    bool goes_on = true;
    if (f->completing) {
        goes_on = completer_take(&f->completer, &rest, piece);
    } else {
        rest = str_tail(line, line.len);
        *piece = line;
    }
    *bytes = str_tail(*bytes, line.len - rest.len);
    if (goes_on) {
        keep_value(f, *piece);
    }
    f->state = lf && rest.len == 0 ? AT_LINE : IN_REST;
    return goes_on && !f->dropping;
}

static void begin_line(struct header_filter *f, char first)
{
    if (first == ' ' || first == '\t') {
        f->state = IN_REST; /* the field goes on */
        return;
    }
    judge_value(f);
    f->keeping_author = false;
    f->dropping = false;
    f->name_len = 0;
    f->state = IN_NAME;
}

bool header_filter_take(struct header_filter *f, struct str *bytes, struct str *piece)
{
    while (bytes->len > 0) {
        if (f->in_body) {
            *piece = *bytes;
            *bytes = str_tail(*bytes, bytes->len);
            return true;
        }
        char first = bytes->ptr[0];
        if (f->state == AT_LINE && first != ' ' && first != '\t' && end_value(f, piece)) {
            return true;
        }
        if (f->state == AT_LINE) {
            begin_line(f, first);
        }
        if (f->state == IN_NAME) {
            if (take_name(f, bytes) && !f->dropping) {
                *piece = str_from(f->name, f->name_len);
                return true;
            }
            continue;
        }
        if (take_value(f, bytes, piece)) {
            return true;
        }
    }
    return false;
}

bool header_filter_end(struct header_filter *f, struct str *piece)
{
    if (f->in_body) {
        return false;
    }
    if (end_value(f, piece)) {
        return true;
    }
    judge_value(f);
    *piece = str_from(f->name, f->name_len);
    return f->state == IN_NAME && f->name_len > 0;
}
