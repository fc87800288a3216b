#include "control/answer_json.h"

#include "core/base/utf8.h"
#include "core/mail/status.h"
#include "path/queue/story_text.h"

#include <stdlib.h>

struct answer_json answer_json_begin(const char *type)
{
    struct answer_json j = {.object = json_object()};
    j.failed = j.object == NULL;
    if (type) {
        answer_json_value(&j, "type", json_string(type));
    }
    return j;
}

void answer_json_end(struct answer_json *j, struct buf *out)
{
    char *text = j->failed ? NULL : json_dumps(j->object, JSON_COMPACT);
    out->failed |= text == NULL;
    buf_add(out, str_from_cstr(text));
    buf_add_char(out, '\n');
    free(text);
    json_decref(j->object);
    *j = (struct answer_json){0};
}

void answer_json_value(struct answer_json *j, const char *name, json_t *value)
{
    if (j->object) {
        j->failed |= json_object_set_new(j->object, name, value) != 0; /* frees it on failure */
    } else {
        json_decref(value);
    }
}

static void add_character(struct buf *clean, struct str *rest)
{
    size_t len = utf8_beyond_ascii(*rest);
    bool ascii = (unsigned char)rest->ptr[0] < 0x80;
    buf_add(clean, ascii ? str_head(*rest, 1) : len ? str_head(*rest, len) : STR("\xef\xbf\xbd"));
    *rest = str_tail(*rest, len ? len : 1);
}

void answer_json_any_text(struct answer_json *j, const char *name, struct str text)
{
    struct buf clean = {0};
    if (text.len == 0 || utf8_valid(text)) {
        answer_json_value(j, name, json_stringn(text.len ? text.ptr : "", text.len));
        return;
    }
    while (text.len > 0) {
        add_character(&clean, &text);
    }
    answer_json_value(j, name, clean.failed ? NULL : json_stringn(clean.ptr, clean.len));
    buf_done(&clean);
}

void answer_json_text(struct answer_json *j, const char *name, struct str text)
{
    if (text.len > 0) {
        answer_json_any_text(j, name, text);
    }
}

/* "2026-11-24 10:00:01 UTC" as RFC 3339 has it. */
void answer_json_time(struct answer_json *j, const char *name, struct instant t)
{
    struct buf words = {0};
    struct buf out = {0};
    if (t.us == 0) {
        return;
    }
    story_time(&words, t);
    struct str rest = buf_str(&words);
    buf_add(&out, str_split(&rest, ' '));
    buf_add_char(&out, 'T');
    buf_add(&out, str_split(&rest, ' '));
    buf_add_char(&out, 'Z');
    j->failed |= words.failed || out.failed;
    answer_json_any_text(j, name, buf_str(&out));
    buf_done(&words);
    buf_done(&out);
}

void answer_json_id(struct answer_json *j, struct queue_id id)
{
    struct queue_id_text text = queue_id_text(id);
    answer_json_any_text(j, "id", queue_id_str(&text));
}

void answer_json_ip(struct answer_json *j, const char *name, struct ip ip)
{
    char text[IP_TEXT_MAX];
    if (ip.family != IP_NONE) {
        answer_json_any_text(j, name, ip_text(ip, text));
    }
}

void answer_json_number(struct answer_json *j, const char *name, uint64_t number)
{
    answer_json_value(j, name, json_integer((json_int_t)number));
}

void answer_json_flag(struct answer_json *j, const char *name, bool flag)
{
    answer_json_value(j, name, json_boolean(flag));
}

void answer_json_append(struct answer_json *j, json_t *array, struct answer_json *item)
{
    j->failed |= item->failed;
    j->failed |= json_array_append_new(array, item->object) != 0;
    *item = (struct answer_json){0};
}

struct str answer_kind_name(enum outcome_kind kind)
{
    static const char *const names[] = {
        [OUTCOME_DELIVERED] = "delivered", [OUTCOME_RELAYED] = "relayed",
        [OUTCOME_EXPANDED] = "expanded",   [OUTCOME_DEFERRED] = "deferred",
        [OUTCOME_FAILED] = "failed",       [OUTCOME_EXPIRED] = "expired",
        [OUTCOME_REMOVED] = "removed",     [OUTCOME_HELD] = "held",
        [OUTCOME_RELEASED] = "released",   [OUTCOME_NOTIFIED] = "notified",
        [OUTCOME_REPORTED] = "reported",
    };
    return str_from_cstr((size_t)kind < ARRAY_LEN(names) ? names[kind] : NULL);
}

void answer_json_outcome(struct answer_json *j, const struct outcome *o)
{
    answer_json_text(j, "event", answer_kind_name(o->kind));
    answer_json_time(j, "at", o->at);
    answer_json_time(j, "next", o->next);
    if (o->status.class != 0) {
        struct buf status = {0};
        status_format(&status, o->status);
        answer_json_text(j, "status", buf_str(&status));
        buf_done(&status);
    }
    if (o->reply_code != 0) {
        answer_json_number(j, "reply_code", o->reply_code);
    }
    answer_json_text(j, "host", o->host);
    answer_json_ip(j, "address", o->peer.ip);
    if (o->peer.port != 0) {
        answer_json_number(j, "port", o->peer.port);
    }
    answer_json_text(j, "site", o->site);
    answer_json_text(j, "text", o->text);
}
