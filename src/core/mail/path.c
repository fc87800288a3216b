#include "core/mail/path.h"

/* A-d-l ":" = "@" Domain *("," "@" Domain) ":" */
static void skip_source_route(struct scan *sc)
{
    if (scan_peek(sc) != '@') {
        return;
    }
    do {
        scan_char(sc, '@');
        scan_domain(sc);
    } while (scan_try_char(sc, ','));
    scan_char(sc, ':');
}

static enum mailbox_error scan_path(struct scan *sc, struct path *path)
{
    struct path found = {0};
    skip_source_route(sc);
    enum mailbox_error error = scan_mailbox(sc, &found.mailbox);
    scan_char(sc, '>');
    if (!scan_ok(sc)) {
        return MAILBOX_SYNTAX;
    }
    if (error == MAILBOX_OK) {
        *path = found;
    }
    return error;
}

enum mailbox_error reverse_path_scan(struct scan *sc, struct path *path)
{
    scan_char(sc, '<');
    if (scan_try_char(sc, '>')) {
        *path = (struct path){.null = true};
        return MAILBOX_OK;
    }
    return scan_path(sc, path);
}

enum mailbox_error forward_path_scan(struct scan *sc, struct path *path)
{
    struct str word = STR("postmaster");
    scan_char(sc, '<');
    struct scan bare = *sc;
    struct str local = scan_take(&bare, word.len);
    scan_char(&bare, '>');
    if (scan_ok(&bare) && str_eq_nocase(local, word)) {
        *sc = bare;
        *path = (struct path){.postmaster = true, .mailbox = {.local = local}};
        return MAILBOX_OK;
    }
    return scan_path(sc, path);
}

enum mailbox_error unqualified_path_scan(struct scan *sc, struct path *path)
{
    struct path found = {.unqualified = true};
    scan_char(sc, '<');
    enum mailbox_error error = scan_local_part(sc, &found.mailbox);
    scan_char(sc, '>');
    if (!scan_ok(sc)) {
        return MAILBOX_SYNTAX;
    }
    if (error == MAILBOX_OK) {
        *path = found;
    }
    return error;
}
