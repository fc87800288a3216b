#include "core/mailauth/canon_body.h"

#include <string.h>

/* What comes out, within the limit. */
struct out {
    struct canon_body *c;
    char *ptr;
    size_t len, cap;
};

static void put(struct out *o, char c)
{
    if (!o->c->has_limit || o->c->length < o->c->limit) {
        o->ptr[o->len++] = c;
    }
    o->c->length++;
}

static bool has_room(const struct out *o)
{
    return o->cap - o->len >= CANON_ROOM;
}

/* Pays one line end, or the blank, that is owed before content. False: nothing is. */
static bool pay(struct out *o)
{
    struct canon_body *c = o->c;
    if (c->owed > 0) {
        c->owed--;
        put(o, '\r');
        put(o, '\n');
        return true;
    }
    if (c->space) {
        c->space = false;
        put(o, ' ');
        return true;
    }
    return false;
}

static void end_line(struct canon_body *c)
{
    c->owed++;
    c->space = false;
    c->cr = false;
}

/* One octet in, if there is room; false: nothing was taken, room is needed or something was owed.
 */
static bool take(struct out *o, char octet)
{
    struct canon_body *c = o->c;
    if (octet == '\n') {
        end_line(c);
        return true;
    }
    if (c->cr) { /* it ended no line: it is content, and stands before this octet */
        if (!pay(o)) {
            put(o, '\r');
            c->cr = false;
            c->content = true;
        }
        return false;
    }
    if (octet == '\r') {
        c->cr = true;
        return true;
    }
    if (c->relaxed && (octet == ' ' || octet == '\t')) {
        c->space = true;
        return true;
    }
    if (pay(o)) {
        return false;
    }
    put(o, octet);
    c->content = true;
    return true;
}

/* Plain octets in the midst of a line, all at once: most of a body. */
static void take_run(struct out *o, struct str *in)
{
    struct canon_body *c = o->c;
    if (c->owed > 0 || c->space || c->cr) {
        return;
    }
    size_t n = 0;
    size_t most = o->cap - o->len < in->len ? o->cap - o->len : in->len;
    while (n < most && in->ptr[n] != '\r' && in->ptr[n] != '\n' &&
           !(c->relaxed && (in->ptr[n] == ' ' || in->ptr[n] == '\t'))) {
        n++;
    }
    uint64_t left = !c->has_limit ? n : c->limit > c->length ? c->limit - c->length : 0;
    size_t out = left < n ? (size_t)left : n;
    if (out > 0) {
        memcpy(o->ptr + o->len, in->ptr, out);
    }
    o->len += out;
    c->length += n;
    c->content = c->content || n > 0;
    *in = str_tail(*in, n);
}

size_t canon_body_take(struct canon_body *c, struct str *in, char *out, size_t cap)
{
    struct out o = {c, out, 0, cap};
    while (in->len > 0 && has_room(&o)) {
        take_run(&o, in);
        if (in->len > 0 && has_room(&o) && take(&o, in->ptr[0])) {
            *in = str_tail(*in, 1);
        }
    }
    return o.len;
}

/* The last line has its end, whether it had one or not; an empty body is an empty line in the
 * simple form, and nothing in the relaxed one. */
size_t canon_body_end(struct canon_body *c, char *out, size_t cap)
{
    struct out o = {c, out, 0, cap};
    while (c->cr && has_room(&o)) {
        if (!pay(&o)) {
            put(&o, '\r');
            c->cr = false;
            c->content = true;
        }
    }
    if (!c->cr && !c->ended && has_room(&o)) {
        c->ended = true;
        if (c->content || !c->relaxed) {
            put(&o, '\r');
            put(&o, '\n');
        }
    }
    return o.len;
}
