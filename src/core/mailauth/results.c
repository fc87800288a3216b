#include "core/mailauth/results.h"

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* A token (RFC 2045), or an address of such. */
static bool is_plain(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (is_control(c) || c == ' ' || str_find(STR("()<>,;:\\\"/[]?="), c) != STR_NONE) {
            return false;
        }
    }
    return value.len > 0;
}

static void add_escaped(struct buf *out, struct str value, struct str escaped)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (is_control(c)) {
            continue;
        }
        buf_add(out, str_find(escaped, c) == STR_NONE ? STR("") : STR("\\"));
        buf_add_char(out, c);
    }
}

static void add_value(struct buf *out, struct str value)
{
    if (is_plain(value)) {
        buf_add(out, value);
        return;
    }
    buf_add_char(out, '"');
    add_escaped(out, value, STR("\\\""));
    buf_add_char(out, '"');
}

static void add_property(struct results *r, const char *property, struct str value)
{
    if (value.len > 0) {
        buf_add_format(r->out, " %s=", property);
        add_value(r->out, value);
    }
}

/* ";", a fold, "method=result (why)". */
static void begin_result(struct results *r, const char *method, const char *result,
                         struct str reason)
{
    buf_add_format(r->out, ";\r\n\t%s=%s (", method, result);
    add_escaped(r->out, reason, STR("()\\"));
    buf_add_char(r->out, ')');
    r->count++;
}

void results_begin(struct results *r, struct buf *out, struct str server)
{
    *r = (struct results){.out = out};
    add_value(out, server);
}

void results_spf(struct results *r, const struct spf *spf, const char *property, struct str value)
{
    begin_result(r, "spf", spf_result_name(spf->result), spf->reason);
    add_property(r, property, value);
}

void results_dkim(struct results *r, const struct dkim_check *check)
{
    const struct signature *s = &check->signature;
    begin_result(r, "dkim", dkim_result_name(check->result), check->reason);
    add_property(r, "header.d", s->domain);
    add_property(r, "header.s", s->selector);
    add_property(r, "header.a", str_from_cstr(signature_algorithm_name(s->algorithm)));
}

void results_arc(struct results *r, const struct arc *arc)
{
    begin_result(r, "arc", arc_result_name(arc->result), arc->reason);
}

void results_dmarc(struct results *r, const struct dmarc *dmarc)
{
    begin_result(r, "dmarc", dmarc_result_name(dmarc->result), dmarc->reason);
    add_property(r, "header.from", dmarc->request.from);
}

void results_end(struct results *r)
{
    if (r->count == 0) {
        buf_add(r->out, STR("; none"));
    }
}
