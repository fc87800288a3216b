#include "core/mail/cfws.h"

enum { COMMENT_DEPTH_MAX = 16 };

void scan_cfws(struct scan *sc)
{
    unsigned depth = 0;
    while (scan_ok(sc) && !scan_at_end(sc)) {
        char c = scan_peek(sc);
        if (c == '(') {
            depth++;
        } else if (c == ')' && depth > 0) {
            depth--;
        } else if (c == '\\' && depth > 0) {
            scan_take(sc, 1);
        } else if (depth == 0 && str_find(STR(" \t\r\n"), c) == STR_NONE) {
            return;
        }
        if (depth > COMMENT_DEPTH_MAX) {
            scan_fail(sc);
        }
        scan_take(sc, 1);
    }
    if (depth > 0) {
        scan_fail(sc);
    }
}
