/* Properties: what is parsed prints in a canonical form that parses to itself, and never begins
 * with a backslash; slices lie in the text. */
#include "core/mail/path.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct mailbox *m)
{
    struct buf once = {0};
    struct buf twice = {0};
    struct mailbox again;
    mailbox_format(&once, m);
    if (once.failed || once.ptr[0] == '\\' || mailbox_parse(buf_str(&once), &again) != MAILBOX_OK) {
        abort();
    }
    mailbox_format(&twice, &again);
    if (!str_eq(buf_str(&once), buf_str(&twice)) || again.utf8 != m->utf8) {
        abort();
    }
    buf_done(&once);
    buf_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_from((const char *)data, size);
    struct mailbox m;
    struct path path;
    struct domain domain;
    if (mailbox_parse(text, &m) == MAILBOX_OK) {
        check(&m);
    }
    struct scan sc = {.rest = text};
    if (forward_path_scan(&sc, &path) == MAILBOX_OK && !path.postmaster) {
        check(&path.mailbox);
    }
    sc = (struct scan){.rest = text};
    if (reverse_path_scan(&sc, &path) == MAILBOX_OK && !path.null) {
        check(&path.mailbox);
    }
    if (domain_parse(text, &domain) && (domain.text.ptr != text.ptr || domain.text.len != size)) {
        abort();
    }
    return 0;
}
