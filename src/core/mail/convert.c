#include "core/mail/convert.h"

#include "core/base/utf8.h"
#include "core/mail/mime.h"
#include "core/mail/transfer_encoding.h"

enum { LINE_OCTETS_MAX = 998 };

struct conversion {
    struct buf *out;
    enum envelope_body target;
    unsigned parts;
};

/* Whether `target` can carry the bytes as they are. */
static bool fits(const struct conversion *c, struct str bytes)
{
    size_t column = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char b = (unsigned char)bytes.ptr[i];
        bool crlf = b == '\r' && i + 1 < bytes.len && bytes.ptr[i + 1] == '\n';
        if (crlf) {
            i++;
            column = 0;
        } else if (b == '\r' || b == '\n' || b == 0 || (b > 127 && c->target == BODY_7BIT) ||
                   ++column > LINE_OCTETS_MAX) {
            return false;
        }
    }
    return true;
}

static enum convert_result result_of(const struct conversion *c)
{
    return c->out->failed ? CONVERT_NO_MEMORY : CONVERT_OK;
}

/* The header with its transfer encoding replaced, and the empty line. */
static void add_header(struct conversion *c, struct str header, struct str encoding)
{
    struct header_iter it = header_begin(header);
    for (struct header_field f; header_next(&it, &f);) {
        if (!str_eq_nocase(f.name, STR("Content-Transfer-Encoding"))) {
            buf_add(c->out, f.whole);
        }
    }
    buf_add(c->out, STR("Content-Transfer-Encoding: "));
    buf_add(c->out, encoding);
    buf_add(c->out, STR("\r\n\r\n"));
}

static struct str target_name(const struct conversion *c)
{
    return c->target == BODY_7BIT ? STR("7bit") : STR("8bit");
}

static enum convert_result convert_leaf(struct conversion *c, const struct mime_part *part)
{
    if (part->encoding == ENCODING_QUOTED_PRINTABLE || part->encoding == ENCODING_BASE64 ||
        part->encoding == ENCODING_UNKNOWN) {
        return CONVERT_IMPOSSIBLE; /* encoded, and yet not ASCII: damaged */
    }
    if (str_eq_nocase(part->type, STR("text"))) {
        add_header(c, part->header, STR("quoted-printable"));
        quoted_printable_encode(c->out, part->body);
    } else {
        add_header(c, part->header, STR("base64"));
        base64_lines_encode(c->out, part->body);
    }
    return result_of(c);
}

static enum convert_result convert_entity(struct conversion *c, struct str entity, unsigned depth);

static enum convert_result convert_multipart(struct conversion *c, const struct mime_part *part,
                                             unsigned depth)
{
    struct mime_split split = {.rest = part->body,
                               .boundary = str_from(part->boundary, part->boundary_len)};
    struct str before;
    enum convert_result result = CONVERT_OK;
    if (part->boundary_len == 0 || str_eq_nocase(part->subtype, STR("signed")) ||
        str_eq_nocase(part->subtype, STR("encrypted"))) {
        return CONVERT_IMPOSSIBLE;
    }
    add_header(c, part->header, target_name(c));
    bool first = true;
    while (result == CONVERT_OK && mime_split_next(&split, &before)) {
        if (!first) {
            result = convert_entity(c, before, depth + 1);
            buf_add(c->out, STR("\r\n"));
        } else if (before.len > 0 && fits(c, before)) {
            buf_add(c->out, before); /* the preamble, which nobody reads */
            buf_add(c->out, STR("\r\n"));
        }
        first = false;
        buf_add(c->out, STR("--"));
        buf_add(c->out, split.boundary);
        buf_add(c->out, split.closed ? STR("--\r\n") : STR("\r\n"));
    }
    if (result == CONVERT_OK && !split.closed) {
        return CONVERT_IMPOSSIBLE;
    }
    if (fits(c, split.rest)) {
        buf_add(c->out, split.rest);
    }
    return result != CONVERT_OK ? result : result_of(c);
}

static enum convert_result convert_message_part(struct conversion *c, const struct mime_part *part,
                                                unsigned depth)
{
    if (!str_eq_nocase(part->subtype, STR("rfc822"))) {
        return CONVERT_IMPOSSIBLE; /* RFC 2046 5.2: the others may not be encoded */
    }
    add_header(c, part->header, target_name(c));
    return convert_entity(c, part->body, depth + 1);
}

static enum convert_result convert_entity(struct conversion *c, struct str entity, unsigned depth)
{
    struct mime_part part;
    if (depth > CONVERT_DEPTH_MAX || ++c->parts > CONVERT_PARTS_MAX) {
        return CONVERT_IMPOSSIBLE;
    }
    if (fits(c, entity)) {
        buf_add(c->out, entity);
        return result_of(c);
    }
    mime_part_read(entity, &part);
    if (str_has_high_octet(part.header) || !fits(c, part.header)) {
        return CONVERT_IMPOSSIBLE; /* RFC 6152 speaks of bodies; a raw header has no such form */
    }
    if (str_eq_nocase(part.type, STR("multipart"))) {
        return convert_multipart(c, &part, depth);
    }
    if (str_eq_nocase(part.type, STR("message"))) {
        return convert_message_part(c, &part, depth);
    }
    return convert_leaf(c, &part);
}

/* A message from before MIME has a charset that nobody knows (RFC 1428 section 3). */
static void add_missing_mime(struct conversion *c, const struct mime_part *part)
{
    if (part->has_version) {
        return;
    }
    buf_add(c->out, STR("MIME-Version: 1.0\r\n"));
    if (!part->has_type) {
        buf_add(c->out, STR("Content-Type: text/plain; charset=unknown-8bit\r\n"));
    }
}

enum convert_result convert_body(struct str message, enum envelope_body target, struct buf *out)
{
    struct conversion c = {.out = out, .target = target};
    struct mime_part top;
    if (!fits(&c, message)) {
        mime_part_read(message, &top);
        add_missing_mime(&c, &top);
    }
    return convert_entity(&c, message, 0);
}
