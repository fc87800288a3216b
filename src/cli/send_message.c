#include "cli/send_message.h"

#include "core/base/utf8.h"
#include "core/mail/address_list.h"
#include "core/mail/completer.h"
#include "core/mail/date.h"
#include "core/mail/header.h"

void send_normalise(struct buf *out, struct str input, bool dots)
{
    while (input.len > 0) {
        size_t lf = str_find(input, '\n');
        struct str line = str_head(input, lf);
        input = str_tail(input, lf == STR_NONE ? input.len : lf + 1);
        if (str_ends(line, STR("\r"))) {
            line.len--;
        }
        if (!dots && str_eq(line, STR("."))) {
            return;
        }
        /* A lone CR has no place in mail (RFC 5321 2.3.8): it ends a line too. */
        for (struct str piece; line.len > 0;) {
            bool cut = str_find(line, '\r') != STR_NONE;
            piece = str_split(&line, '\r');
            buf_add(out, piece);
            buf_add(out, cut && line.len > 0 ? STR("\r\n") : STR(""));
        }
        buf_add(out, STR("\r\n"));
    }
}

static bool is_any(struct str name, const char *const *names)
{
    for (; *names; names++) {
        if (str_eq_nocase(name, str_from_cstr(*names))) {
            return true;
        }
    }
    return false;
}

static const char *const plain_fields[] = {"To", "Cc", "Bcc", NULL};
static const char *const resent_fields[] = {"Resent-To", "Resent-Cc", "Resent-Bcc", NULL};
static const char *const blind_fields[] = {"Bcc", "Resent-Bcc", NULL};
static const char *const seals[] = {"Received", "DKIM-Signature", NULL};

static bool has_field(struct str message, const char *const *names)
{
    struct header_iter it = header_begin(message);
    for (struct header_field f; header_next(&it, &f);) {
        if (is_any(f.name, names)) {
            return true;
        }
    }
    return false;
}

static bool add_rcpts(struct str value, bool (*rcpt)(void *owner, struct str address), void *owner)
{
    struct address_list list = {.rest = value};
    struct buf address = {0};
    bool fine = true;
    while (fine && address_list_next(&list, &address)) {
        fine = rcpt(owner, buf_str(&address));
    }
    fine = fine && !list.damaged && !address.failed;
    buf_done(&address);
    return fine;
}

static bool has_one(struct str message, const char *name)
{
    const char *names[] = {name, NULL};
    return has_field(message, names);
}

static void add_quoted_name(struct buf *out, struct str name)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '"' || c == '\\') {
            buf_add_char(out, '\\');
        }
        buf_add_char(out, (unsigned char)c < 0x20 ? ' ' : c);
    }
    buf_add(out, STR("\" "));
}

static void add_missing(struct send_message *m, struct str message)
{
    if (!has_one(message, "Date")) {
        buf_add(&m->text, STR("Date: "));
        date_format(&m->text, m->now);
        buf_add(&m->text, STR("\r\n"));
    }
    if (!has_one(message, "From")) {
        buf_add(&m->text, STR("From: "));
        if (m->full_name.len > 0) {
            add_quoted_name(&m->text, m->full_name);
        }
        struct str from = m->sender.len > 0 ? m->sender : STR("MAILER-DAEMON");
        buf_add_format(&m->text, "<%.*s%s%.*s>\r\n", STR_ARG(from), m->sender.len > 0 ? "" : "@",
                       STR_ARG(m->sender.len > 0 ? STR("") : m->hostname));
    }
    if (!has_one(message, "Message-ID")) {
        buf_add_format(&m->text, "Message-ID: <%llx.%016llx@%.*s>\r\n",
                       (unsigned long long)m->now.us, (unsigned long long)m->random,
                       STR_ARG(m->hostname));
    }
}

/* The field with whole addresses, if it is one that has any. */
static void add_field(struct buf *out, struct completer *completer, const struct header_field *f)
{
    struct str rest = f->whole;
    struct str piece;
    if (completer->completion && completer_wants(f->name)) {
        size_t colon = str_find(rest, ':') + 1;
        buf_add(out, str_head(rest, colon));
        rest = str_tail(rest, colon);
        while (completer_take(completer, &rest, &piece)) {
            buf_add(out, piece);
        }
        rest = completer_end(completer, &piece) ? piece : STR("");
    }
    buf_add(out, rest);
}

bool send_message_make(struct send_message *m, struct str input,
                       bool (*rcpt)(void *owner, struct str address), void *owner)
{
    const char *const *fields = has_field(input, resent_fields) ? resent_fields : plain_fields;
    struct header_iter it = header_begin(input);
    struct completer completer = {.completion = m->completion};
    bool fine = true;
    add_missing(m, input);
    for (struct header_field f; fine && header_next(&it, &f);) {
        if (m->from_header && is_any(f.name, fields)) {
            fine = add_rcpts(f.value, rcpt, owner);
        }
        if (is_any(f.name, seals)) {
            completer.completion = NULL; /* what has come a way, or is signed, stays as it is */
        }
        if (!is_any(f.name, blind_fields)) {
            add_field(&m->text, &completer, &f);
        }
    }
    /* Without an empty line the first line that is no field begins the body. */
    buf_add(&m->text, STR("\r\n"));
    buf_add(&m->text, header_body(&it));
    m->eight_bit = str_has_high_octet(buf_str(&m->text));
    return fine && !m->text.failed;
}
