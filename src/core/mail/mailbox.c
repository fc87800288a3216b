#include "core/mail/mailbox.h"

#include "core/base/utf8.h"

/* atext of RFC 5322 3.2.3, ASCII only. */
static bool is_atext(char c)
{
    return ascii_is_alnum(c) || (c != '\0' && str_find(STR("!#$%&'*+-/=?^_`{|}~"), c) != STR_NONE);
}

/* Takes one character of an atom, of ASCII or beyond (RFC 6531 3.3); false: none is next. */
static bool take_atext(struct scan *sc)
{
    size_t n = utf8_beyond_ascii(sc->rest);
    n = n == 0 && is_atext(scan_peek(sc)) ? 1 : n;
    sc->rest = str_tail(sc->rest, n);
    return n > 0;
}

/* Dot-string = Atom *("." Atom) */
static void scan_dot_string(struct scan *sc)
{
    do {
        if (!take_atext(sc)) {
            scan_fail(sc);
        }
        while (scan_ok(sc) && take_atext(sc)) {}
    } while (scan_try_char(sc, '.'));
}

/* Quoted-string = DQUOTE *QcontentSMTP DQUOTE */
static void scan_quoted_string(struct scan *sc)
{
    scan_char(sc, '"');
    while (scan_ok(sc) && scan_peek(sc) != '"') {
        size_t n = utf8_beyond_ascii(sc->rest);
        if (n > 0) {
            sc->rest = str_tail(sc->rest, n);
            continue;
        }
        scan_try_char(sc, '\\');
        if (!ascii_is_print(scan_peek(sc))) {
            scan_fail(sc);
        }
        scan_take(sc, 1);
    }
    scan_char(sc, '"');
}

static bool is_dot_string(struct str text)
{
    struct scan sc = {.rest = text};
    scan_dot_string(&sc);
    return scan_done(&sc);
}

enum mailbox_error scan_local_part(struct scan *sc, struct mailbox *m)
{
    struct mailbox found = {.quoted = scan_peek(sc) == '"'};
    struct str start = sc->rest;
    if (found.quoted) {
        scan_quoted_string(sc);
    } else {
        scan_dot_string(sc);
    }
    if (!scan_ok(sc)) {
        return MAILBOX_SYNTAX;
    }
    found.local = str_head(start, start.len - sc->rest.len);
    found.utf8 = str_has_high_octet(found.local);
    *m = found;
    return found.local.len > LOCAL_LEN_MAX ? MAILBOX_LOCAL_TOO_LONG : MAILBOX_OK;
}

enum mailbox_error scan_mailbox(struct scan *sc, struct mailbox *m)
{
    struct mailbox found = {0};
    struct str start = sc->rest;
    enum mailbox_error error = scan_local_part(sc, &found);
    scan_char(sc, '@');
    found.domain = scan_domain(sc);
    if (!scan_ok(sc)) {
        return MAILBOX_SYNTAX;
    }
    if (error != MAILBOX_OK) {
        return error;
    }
    if (found.domain.text.len > DOMAIN_LEN_MAX) {
        return MAILBOX_DOMAIN_TOO_LONG;
    }
    if (start.len - sc->rest.len > MAILBOX_LEN_MAX) {
        return MAILBOX_TOO_LONG;
    }
    found.utf8 = found.utf8 || found.domain.utf8;
    *m = found;
    return MAILBOX_OK;
}

enum mailbox_error mailbox_parse(struct str text, struct mailbox *m)
{
    struct scan sc = {.rest = text};
    struct mailbox found;
    enum mailbox_error error = scan_mailbox(&sc, &found);
    if (sc.failed || sc.rest.len > 0) {
        return MAILBOX_SYNTAX;
    }
    if (error == MAILBOX_OK) {
        *m = found;
    }
    return error;
}

void mailbox_local_unquoted(struct buf *out, const struct mailbox *m)
{
    if (!m->quoted) {
        buf_add(out, m->local);
        return;
    }
    struct str inside = str_head(str_tail(m->local, 1), m->local.len - 2);
    for (size_t i = 0; i < inside.len; i++) {
        if (inside.ptr[i] == '\\') {
            i++;
        }
        buf_add_char(out, inside.ptr[i]);
    }
}

void local_part_format(struct buf *out, struct str unquoted)
{
    if (is_dot_string(unquoted)) {
        buf_add(out, unquoted);
        return;
    }
    buf_add_char(out, '"');
    for (size_t i = 0; i < unquoted.len; i++) {
        if (unquoted.ptr[i] == '"' || unquoted.ptr[i] == '\\') {
            buf_add_char(out, '\\');
        }
        buf_add_char(out, unquoted.ptr[i]);
    }
    buf_add_char(out, '"');
}

void mailbox_format(struct buf *out, const struct mailbox *m)
{
    if (m->quoted) { /* perhaps without need */
        struct buf local = {0};
        mailbox_local_unquoted(&local, m);
        out->failed = out->failed || local.failed;
        local_part_format(out, buf_str(&local));
        buf_done(&local);
    } else {
        buf_add(out, m->local);
    }
    buf_add_char(out, '@');
    domain_format(out, &m->domain);
}

struct str mailbox_print(const struct mailbox *m, struct arena *arena)
{
    char room[MAILBOX_LEN_MAX + 2]; /* the quotes may be more than were given */
    struct buf text = BUF_IN(room);
    mailbox_format(&text, m);
    struct str printed = text.failed ? (struct str){0} : arena_copy(arena, buf_str(&text));
    buf_done(&text);
    return printed;
}
