#include "core/mailauth/sign.h"

#include "core/base/encode.h"
#include "core/mailauth/dmarc.h"
#include "core/mailauth/tags.h"

#include <string.h>

enum { LINE_WIDTH = 72 };

/* How often a field is named in h= beyond those that are there (RFC 6376 8.15). What people see is
 * always closed; the rest only where it is there, for it is added on the way by honest hands. */
enum closing { CLOSED_ALWAYS, CLOSED_IF_THERE, OPEN };

static const struct {
    struct str name;
    enum closing closing;
} usual[] = {
    {STR_INIT("from"), CLOSED_ALWAYS},
    {STR_INIT("reply-to"), CLOSED_ALWAYS},
    {STR_INIT("subject"), CLOSED_ALWAYS},
    {STR_INIT("date"), CLOSED_ALWAYS},
    {STR_INIT("to"), CLOSED_ALWAYS},
    {STR_INIT("cc"), CLOSED_ALWAYS},
    {STR_INIT("message-id"), CLOSED_ALWAYS},
    {STR_INIT("in-reply-to"), CLOSED_ALWAYS},
    {STR_INIT("references"), CLOSED_ALWAYS},
    {STR_INIT("sender"), CLOSED_IF_THERE},
    {STR_INIT("mime-version"), CLOSED_IF_THERE},
    {STR_INIT("content-type"), CLOSED_IF_THERE},
    {STR_INIT("content-transfer-encoding"), CLOSED_IF_THERE},
    {STR_INIT("auto-submitted"), CLOSED_IF_THERE},
    {STR_INIT("resent-date"), OPEN},
    {STR_INIT("resent-from"), OPEN},
    {STR_INIT("resent-sender"), OPEN},
    {STR_INIT("resent-to"), OPEN},
    {STR_INIT("resent-cc"), OPEN},
    {STR_INIT("resent-message-id"), OPEN},
    {STR_INIT("list-id"), OPEN},
    {STR_INIT("list-help"), OPEN},
    {STR_INIT("list-unsubscribe"), CLOSED_IF_THERE},
    {STR_INIT("list-unsubscribe-post"), CLOSED_IF_THERE},
    {STR_INIT("list-subscribe"), OPEN},
    {STR_INIT("list-post"), OPEN},
    {STR_INIT("list-owner"), OPEN},
    {STR_INIT("list-archive"), OPEN},
    {STR_INIT("tls-report-domain"), CLOSED_IF_THERE},
    {STR_INIT("tls-report-submitter"), CLOSED_IF_THERE},
};

void sign_begin(struct sign *s, struct arena *arena)
{
    *s = (struct sign){.arena = arena, .canon = {.relaxed = true}};
}

/* The header is whole. A line in it that is no field would be the body's beginning to some. */
static void read_header(struct sign *s)
{
    struct header_iter it = header_begin(buf_str(&s->header));
    for (struct header_field field; header_next(&it, &field);) {}
    s->failed = s->failed || s->header.failed;
    s->state = SIGN_UNFIT;
    if (s->failed || it.rest.len > 0) {
        return;
    }
    if (!canon_index_make(&s->index, s->arena, buf_str(&s->header))) {
        s->failed = true;
    } else if (!s->index.too_many &&
               dmarc_from(buf_str(&s->header), s->arena, &s->from) == DMARC_FROM_GOOD) {
        s->state = SIGN_IN_BODY;
    }
}

/* Up to the empty line, wherever the pieces are cut. */
static void take_header(struct sign *s, struct str *in)
{
    size_t before = s->header.len;
    size_t from = before < 3 ? 0 : before - 3;
    buf_add(&s->header, *in);
    if (s->header.failed) {
        s->failed = true;
        s->state = SIGN_UNFIT;
        return;
    }
    struct str header = buf_str(&s->header);
    size_t at = str_find_str(str_tail(header, from), STR("\r\n\r\n"));
    size_t end = str_starts(header, STR("\r\n")) ? 0 : at == STR_NONE ? STR_NONE : from + at + 2;
    if (end == STR_NONE) {
        *in = (struct str){0};
        s->state = header.len > SIGN_HEADER_MAX ? SIGN_UNFIT : s->state;
        return;
    }
    *in = str_tail(*in, end + 2 - before);
    s->header.len = end;
    read_header(s);
}

size_t sign_take(struct sign *s, struct str *in, char *out, size_t cap)
{
    if (s->state == SIGN_IN_HEADER && in->len > 0) {
        take_header(s, in);
    }
    if (s->state == SIGN_UNFIT) {
        *in = (struct str){0};
    }
    return s->state == SIGN_IN_BODY ? canon_body_take(&s->canon, in, out, cap) : 0;
}

size_t sign_end(struct sign *s, char *out, size_t cap)
{
    if (s->state == SIGN_IN_HEADER) {
        read_header(s);
    }
    return s->state == SIGN_IN_BODY ? canon_body_end(&s->canon, out, cap) : 0;
}

/* A list with colons, in lines. */
struct name_list {
    struct buf *out;
    size_t count, width;
};

static void add_name(struct name_list *list, struct str name, size_t times)
{
    for (size_t i = 0; i < times && list->count <= SIGNATURE_NAMES_MAX; i++) {
        if (list->count++ > 0) {
            buf_add_char(list->out, ':');
            list->width++;
        }
        if (list->width + name.len > LINE_WIDTH) {
            buf_add(list->out, STR("\r\n\t"));
            list->width = 0;
        }
        for (size_t k = 0; k < name.len; k++) {
            buf_add_char(list->out, ascii_lower(name.ptr[k]));
        }
        list->width += name.len;
    }
}

static bool add_names(const struct sign *s, struct str fields, struct buf *out)
{
    struct name_list list = {.out = out};
    for (size_t i = 0; fields.len == 0 && i < ARRAY_LEN(usual); i++) {
        size_t there = canon_count(&s->index, usual[i].name);
        bool closed =
            usual[i].closing == CLOSED_ALWAYS || (usual[i].closing == CLOSED_IF_THERE && there > 0);
        add_name(&list, usual[i].name, there + closed);
    }
    for (struct str name; tags_next_part(&fields, &name);) {
        add_name(&list, name, canon_count(&s->index, name) + 1);
    }
    return list.count <= SIGNATURE_NAMES_MAX;
}

static void add_number(struct buf *out, const char *tag, int64_t value)
{
    if (value > 0) {
        buf_add_format(out, " %s=%lld;", tag, (long long)value);
    }
}

bool sign_field(struct sign *s, const struct sign_terms *terms, struct buf *field,
                struct buf *input)
{
    struct buf names = {0};
    bool good = add_names(s, terms->fields, &names);
    if (good) {
        size_t start = field->len;
        struct header_field own;
        buf_add_format(field, "DKIM-Signature: v=1; a=%s; c=relaxed/relaxed;\r\n\td=",
                       signature_algorithm_name(terms->algorithm));
        buf_join(field, terms->domain, STR("; s="), terms->selector, STR(";"));
        add_number(field, "t", terms->time);
        add_number(field, "x", terms->end);
        buf_join(field, STR("\r\n\th="), buf_str(&names), STR(";\r\n\tbh="));
        base64_encode(field, terms->body_hash);
        buf_add(field, STR(";\r\n\tb="));
        canon_fields(input, &s->index, buf_str(&names), true);
        struct header_iter it = header_begin(str_tail(buf_str(field), start));
        good = header_next(&it, &own);
        if (good) {
            canon_field(input, &own, true, (struct str){0});
        }
    }
    field->failed = field->failed || names.failed;
    buf_done(&names);
    return good;
}

void sign_seal(struct buf *field, struct str octets)
{
    struct buf text = {0};
    base64_encode(&text, octets);
    struct str rest = buf_str(&text);
    while (rest.len > 0) {
        buf_add(field, str_head(rest, LINE_WIDTH));
        rest = str_tail(rest, LINE_WIDTH);
        buf_add(field, rest.len > 0 ? STR("\r\n\t") : STR("\r\n"));
    }
    field->failed = field->failed || text.failed;
    buf_done(&text);
}

bool sign_has_field(const struct sign *s, struct str name)
{
    return canon_count(&s->index, name) > 0;
}

void sign_done(struct sign *s)
{
    buf_done(&s->header);
    s->index.count = 0; /* its fields stood there */
}
