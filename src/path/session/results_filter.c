#include "path/session/results_filter.h"

#include "core/mail/cfws.h"

#include <string.h>

enum { NAME_LEN_MAX = 32 }; /* with blanks before the colon */

enum mode {
    IN_NAME,    /* held back */
    IN_RESULTS, /* …the whole field, until it is known whose it is */
    PASSING,
    DROPPING,
};

static bool is_id(char c)
{
    return c != ';' && c != '(' && c != ' ' && c != '\t' && c != '\r' && c != '\n';
}

static bool is_quoted(char c)
{
    return c != '"' && c != '\\';
}

/* The authserv-id (RFC 8601 2.2) at the cursor is `ours`. */
static bool is_ours(struct scan *sc, struct str ours)
{
    bool same = true;
    if (!scan_try_char(sc, '"')) {
        struct str id = scan_while1(sc, is_id);
        id = str_ends(id, STR(".")) ? str_head(id, id.len - 1) : id;
        return str_eq_nocase(id, ours);
    }
    while (scan_ok(sc) && !scan_try_char(sc, '"')) {
        struct str part = scan_while(sc, is_quoted);
        part = part.len == 0 && scan_try_char(sc, '\\') ? scan_take(sc, 1) : part;
        same = same && str_eq_nocase(part, str_head(ours, part.len));
        ours = str_tail(ours, part.len);
        if (part.len == 0 && scan_peek(sc) != '"') {
            scan_fail(sc); /* it ends without an end */
        }
    }
    return same && ours.len == 0;
}

/* `whole`: the field is held to its end. */
static bool must_go(const struct results_filter *f, bool whole)
{
    struct scan sc = {.rest = str_from(f->held, f->held_len)};
    (void)scan_until(&sc, ':');
    scan_char(&sc, ':');
    scan_cfws(&sc);
    bool ours = is_ours(&sc, f->hostname);
    /* What ends where the memory ends may go on as our name. */
    return ours || !scan_ok(&sc) || (!whole && scan_at_end(&sc));
}

static bool give_held(struct results_filter *f, struct str *piece)
{
    *piece = str_from(f->held, f->held_len);
    f->held_len = 0;
    return piece->len > 0;
}

/* Ends the holding back; true: what was held goes on. */
static bool decide(struct results_filter *f, bool whole, struct str *piece)
{
    if (must_go(f, whole)) {
        f->removed++;
        f->held_len = 0;
        f->mode = DROPPING;
        return false;
    }
    f->mode = PASSING;
    return give_held(f, piece);
}

/* The next octet of a name; true: it is known what line this is, and it goes on. */
static bool take_name(struct results_filter *f, char c, struct str *piece)
{
    struct str name = str_from(f->held, f->held_len);
    f->held[f->held_len++] = c;
    if (c == '\n') {
        /* A line that is no field ends the header for some readers, not for others. */
        f->in_body = str_trim(name).len == 0;
        f->at_line = true;
        f->mode = PASSING;
        return give_held(f, piece);
    }
    if (c == ':' && str_eq_nocase(str_trim(name), STR("Authentication-Results"))) {
        f->mode = IN_RESULTS;
        return false;
    }
    if (c == ':' || f->held_len == NAME_LEN_MAX) {
        f->mode = PASSING;
        return give_held(f, piece);
    }
    return false;
}

static bool take_results(struct results_filter *f, char c, struct str *piece)
{
    f->held[f->held_len++] = c;
    f->at_line = c == '\n';
    return f->held_len == RESULTS_KEPT && decide(f, false, piece);
}

/* The first octet of a line, which is not taken. True: what was held goes on. */
static bool begin_line(struct results_filter *f, char first, struct str *piece)
{
    f->at_line = false;
    if (first == ' ' || first == '\t') {
        return false; /* the field goes on */
    }
    bool goes_on = f->mode == IN_RESULTS && decide(f, true, piece);
    f->mode = IN_NAME;
    return goes_on;
}

/* The rest of a line, of a field whose fate is known. */
static bool take_line(struct results_filter *f, struct str *bytes, struct str *piece)
{
    const char *lf = memchr(bytes->ptr, '\n', bytes->len);
    *piece = lf ? str_head(*bytes, (size_t)(lf - bytes->ptr) + 1) : *bytes;
    *bytes = str_tail(*bytes, piece->len);
    f->at_line = lf != NULL;
    return f->mode == PASSING;
}

bool results_filter_take(struct results_filter *f, struct str *bytes, struct str *piece)
{
    bool goes_on = false;
    while (!goes_on && bytes->len > 0) {
        char c = bytes->ptr[0];
        if (f->in_body) {
            *piece = *bytes;
            *bytes = str_tail(*bytes, bytes->len);
            goes_on = true;
        } else if (f->at_line) {
            goes_on = begin_line(f, c, piece);
        } else if (f->mode == PASSING || f->mode == DROPPING) {
            goes_on = take_line(f, bytes, piece);
        } else {
            *bytes = str_tail(*bytes, 1);
            goes_on = f->mode == IN_NAME ? take_name(f, c, piece) : take_results(f, c, piece);
        }
    }
    return goes_on;
}

bool results_filter_end(struct results_filter *f, struct str *piece)
{
    if (f->mode == IN_RESULTS && !f->in_body) {
        return decide(f, true, piece);
    }
    return give_held(f, piece);
}
