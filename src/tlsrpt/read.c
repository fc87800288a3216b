#include "tlsrpt/read.h"

#include "core/base/encode.h"
#include "core/mail/mime.h"
#include "core/mail/transfer_encoding.h"
#include "tlsrpt/inflate.h"

enum { PARTS_DEEP_MAX = 8, JSON_DEEP_MAX = 32 };

static struct str text_of(const json_t *value)
{
    return json_is_string(value) ? str_from(json_string_value(value), json_string_length(value))
                                 : (struct str){0};
}

/* What stands at one of two places; empty where it is no text. Some senders nest, some do not. */
static json_t *copy_text(const json_t *object, const char *key)
{
    struct str text = text_of(json_object_get(object, key));
    json_t *copy = json_stringn(text.len ? text.ptr : "", text.len);
    return copy ? copy : json_string("");
}

static json_t *copy_count(const json_t *object, const char *key)
{
    json_int_t count = json_integer_value(json_object_get(object, key));
    return json_integer(count > 0 ? count : 0);
}

/* A list of texts; one text alone counts as a list. */
static json_t *copy_texts(const json_t *value)
{
    json_t *list = json_array();
    size_t i;
    json_t *one;
    if (json_is_string(value)) {
        struct str text = text_of(value);
        json_array_append_new(list, json_stringn(text.ptr, text.len));
    }
    json_array_foreach(value, i, one)
    {
        struct str text = text_of(one);
        if (json_is_string(one) && json_array_size(list) < TLSRPT_POLICIES_MAX) {
            json_array_append_new(list, json_stringn(text.ptr, text.len));
        }
    }
    return list;
}

static json_t *copy_detail(const json_t *from)
{
    static const struct {
        const char *to, *from;
    } texts[] = {
        {"result", "result-type"},
        {"sending_ip", "sending-mta-ip"},
        {"receiving_host", "receiving-mx-hostname"},
        {"receiving_helo", "receiving-mx-helo"},
        {"receiving_ip", "receiving-ip"},
        {"code", "failure-reason-code"},
        {"information", "additional-information"},
    };
    json_t *detail = json_object();
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        json_object_set_new(detail, texts[i].to, copy_text(from, texts[i].from));
    }
    json_object_set_new(detail, "count", copy_count(from, "failed-session-count"));
    return detail;
}

static json_t *copy_policy(const json_t *from, size_t *left_out)
{
    json_t *made = json_object(), *details = json_array(), *one;
    const json_t *policy = json_object_get(from, "policy");
    const json_t *summary = json_object_get(from, "summary");
    size_t i;
    json_object_set_new(made, "type", copy_text(policy, "policy-type"));
    json_object_set_new(made, "domain", copy_text(policy, "policy-domain"));
    json_object_set_new(made, "policy", copy_texts(json_object_get(policy, "policy-string")));
    json_object_set_new(made, "mx", copy_texts(json_object_get(policy, "mx-host")));
    json_object_set_new(made, "successes", copy_count(summary, "total-successful-session-count"));
    json_object_set_new(made, "failures", copy_count(summary, "total-failure-session-count"));
    json_array_foreach(json_object_get(from, "failure-details"), i, one)
    {
        if (i < TLSRPT_DETAILS_MAX) {
            json_array_append_new(details, copy_detail(one));
        } else {
            ++*left_out;
        }
    }
    json_object_set_new(made, "details", details);
    return made;
}

static json_t *copy_report(const json_t *from)
{
    json_t *made = json_object(), *policies = json_array(), *one;
    const json_t *range = json_object_get(from, "date-range");
    size_t left_out = 0, i;
    json_object_set_new(made, "organization", copy_text(from, "organization-name"));
    json_object_set_new(made, "from", copy_text(range, "start-datetime"));
    json_object_set_new(made, "to", copy_text(range, "end-datetime"));
    json_object_set_new(made, "contact", copy_text(from, "contact-info"));
    json_object_set_new(made, "id", copy_text(from, "report-id"));
    json_array_foreach(json_object_get(from, "policies"), i, one)
    {
        if (i < TLSRPT_POLICIES_MAX) {
            json_array_append_new(policies, copy_policy(one, &left_out));
        } else {
            left_out++;
        }
    }
    json_object_set_new(made, "policies", policies);
    json_object_set_new(made, "left_out", json_integer((json_int_t)left_out));
    return made;
}

static json_t *read_json(struct str text, const char **reason)
{
    json_t *from = json_loadb(text.len ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, NULL);
    json_t *made = NULL;
    if (!json_is_object(from)) {
        *reason = "this is no JSON object";
    } else if (!json_is_array(json_object_get(from, "policies"))) {
        *reason = "the JSON has no list of policies: no report about TLS (RFC 8460 4.4)";
    } else {
        made = copy_report(from);
    }
    json_decref(from);
    return made;
}

static bool is_gzip(struct str bytes)
{
    return str_starts(bytes, STR("\x1f\x8b"));
}

static json_t *read_file(struct str bytes, const char **reason)
{
    if (!is_gzip(bytes)) {
        return read_json(bytes, reason);
    }
    struct buf text = {0};
    json_t *made = NULL;
    if (gzip_inflate(bytes, TLSRPT_JSON_MAX, &text)) {
        made = read_json(buf_str(&text), reason);
    } else {
        *reason = "the compressed report is damaged, or far too long";
    }
    buf_done(&text);
    return made;
}

static bool decode(const struct mime_part *part, struct buf *out)
{
    struct str rest = part->body;
    struct buf letters = {0};
    bool good = true;
    switch (part->encoding) {
    case ENCODING_BASE64:
        for (size_t i = 0; i < rest.len; i++) {
            if (!str_has_control(str_from(rest.ptr + i, 1)) && rest.ptr[i] != ' ') {
                buf_add_char(&letters, rest.ptr[i]);
            }
        }
        good = base64_decode(out, buf_str(&letters));
        break;
    case ENCODING_QUOTED_PRINTABLE:
        good = quoted_printable_decode(out, rest);
        break;
    case ENCODING_NONE:
    case ENCODING_7BIT:
    case ENCODING_8BIT:
    case ENCODING_BINARY:
    case ENCODING_UNKNOWN:
        buf_add(out, rest);
        break;
    }
    buf_done(&letters);
    return good && !out->failed;
}

static bool is_report(const struct mime_part *part)
{
    static const struct str subtypes[] = {STR_INIT("tlsrpt+gzip"), STR_INIT("tlsrpt+json"),
                                          STR_INIT("gzip"), STR_INIT("x-gzip"), STR_INIT("json")};
    for (size_t i = 0; i < ARRAY_LEN(subtypes); i++) {
        if (str_eq_nocase(part->type, STR("application")) &&
            str_eq_nocase(part->subtype, subtypes[i])) {
            return true;
        }
    }
    return false;
}

static json_t *read_entity(struct str entity, int deep, const char **reason);

/* The first part that carries a report. */
static json_t *read_parts(const struct mime_part *part, int deep, const char **reason)
{
    struct mime_split split = {.rest = part->body,
                               .boundary = str_from(part->boundary, part->boundary_len)};
    struct str before;
    json_t *made = NULL;
    bool preamble = true;
    while (!made && mime_split_next(&split, &before)) {
        made = preamble ? NULL : read_entity(before, deep + 1, reason);
        preamble = false;
    }
    return made;
}

static json_t *read_entity(struct str entity, int deep, const char **reason)
{
    struct mime_part part;
    mime_part_read(entity, &part);
    if (part.boundary_len > 0 && deep < PARTS_DEEP_MAX) {
        return read_parts(&part, deep, reason);
    }
    if (!is_report(&part)) {
        return NULL;
    }
    struct buf bytes = {0};
    json_t *made = NULL;
    if (decode(&part, &bytes)) {
        made = read_file(buf_str(&bytes), reason);
    } else {
        *reason = "the part that carries the report is damaged";
    }
    buf_done(&bytes);
    return made;
}

json_t *tlsrpt_read(struct str bytes, const char **reason)
{
    struct str trimmed = str_trim(bytes);
    if (bytes.len > TLSRPT_BYTES_MAX) {
        *reason = "it is too long for a report";
        return NULL;
    }
    if (is_gzip(bytes) || str_starts(trimmed, STR("{"))) {
        return read_file(bytes, reason);
    }
    *reason = "neither JSON, nor gzip, nor a mail with a report about TLS";
    return read_entity(bytes, 0, reason);
}
