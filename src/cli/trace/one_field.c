/* one_field.c: `postrider trace --received`: what one Received field says, as JSON. */
#include "cli/trace/one_field.h"
#include "control/answer.h"
#include "core/trace/received.h"

#include <jansson.h>
#include <stdio.h>
#include <sysexits.h>

enum { FIELD_MAX = 1 << 20 };

static void set(json_t *object, const char *name, struct str text)
{
    if (text.len > 0) {
        json_object_set_new(object, name, answer_text(text));
    }
}

static void set_tls(json_t *object, const struct received *r)
{
    if (r->tls_version.len > 0 || r->tls_cipher.len > 0) {
        json_t *tls = json_object();
        set(tls, "version", r->tls_version);
        set(tls, "cipher", r->tls_cipher);
        json_object_set_new(object, "tls", tls);
    }
}

static json_t *describe(const struct received *r)
{
    json_t *object = json_object();
    char ip[IP_TEXT_MAX];
    set(object, "from", r->from);
    set(object, "helo", r->helo);
    set(object, "rdns", r->rdns);
    if (r->ip.family != IP_NONE) {
        set(object, "ip", ip_text(r->ip, ip));
    }
    set(object, "by", r->by);
    set(object, "with", r->with);
    set(object, "id", r->id);
    set(object, "for", r->recipient);
    set(object, "via", r->via);
    set(object, "envfrom", r->envelope_from);
    set(object, "ident", r->ident);
    set(object, "auth", r->auth);
    set_tls(object, r);
    set(object, "software", r->software.name);
    if (r->date.known) {
        json_object_set_new(object, "date", json_integer(r->date.seconds));
    }
    return object;
}

static bool read_field(struct buf *value)
{
    char piece[4096];
    size_t n;
    while (value->len < FIELD_MAX && (n = fread(piece, 1, sizeof piece, stdin)) > 0) {
        buf_add(value, str_from(piece, n));
    }
    return !value->failed;
}

int trace_one_field(void)
{
    struct buf value = {0};
    struct received r;
    if (!read_field(&value)) {
        (void)fprintf(stderr, "postrider: not enough memory\n");
        buf_done(&value);
        return EX_OSERR;
    }
    struct str text = str_trim(buf_str(&value));
    static const struct str names[] = {STR_INIT("Received:"), STR_INIT("X-Received:")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        text = str_starts_nocase(text, names[i]) ? str_tail(text, names[i].len) : text;
    }
    received_parse(text, &r);
    json_t *object = describe(&r);
    int failed = object ? json_dumpf(object, stdout, JSON_COMPACT) : -1;
    (void)printf("\n");
    json_decref(object);
    buf_done(&value);
    return failed == 0 ? EX_OK : EX_OSERR;
}
