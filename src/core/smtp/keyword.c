#include "core/smtp/keyword.h"

#include "core/mail/date.h"

static bool always(const struct smtp_server_options *o)
{
    return o != NULL;
}

static bool if_starttls(const struct smtp_server_options *o)
{
    return o->offer_starttls;
}

static bool if_secured(const struct smtp_server_options *o)
{
    return o->offer_requiretls;
}

static bool if_auth(const struct smtp_server_options *o)
{
    return o->mechanisms.len > 0;
}

static bool if_priority(const struct smtp_server_options *o)
{
    return o->offer_priority;
}

static bool if_hold(const struct smtp_server_options *o)
{
    return o->hold_max.us > 0;
}

static bool if_by(const struct smtp_server_options *o)
{
    return o->by_min.us > 0;
}

/* RFC 2852 3: a second is the least by the syntax, and is not told. */
static void add_by(struct buf *out, const struct smtp_server_options *o, struct instant now)
{
    (void)now;
    if (span_seconds(o->by_min) > 1) {
        buf_add_char(out, ' ');
        buf_add_u64(out, (uint64_t)span_seconds(o->by_min));
    }
}

/* RFC 4865 3: the longest interval, and the last point in time. */
static void add_hold(struct buf *out, const struct smtp_server_options *o, struct instant now)
{
    buf_add_char(out, ' ');
    buf_add_u64(out, (uint64_t)span_seconds(o->hold_max));
    buf_add_char(out, ' ');
    date_format_internet(out, instant_add(now, o->hold_max));
}

static void add_mechanisms(struct buf *out, const struct smtp_server_options *o, struct instant now)
{
    (void)now;
    buf_add(out, o->mechanisms);
}

static void add_size(struct buf *out, const struct smtp_server_options *o, struct instant now)
{
    (void)now;
    if (o->message_max > 0) {
        buf_add_char(out, ' ');
        buf_add_u64(out, o->message_max);
    }
}

static void add_limits(struct buf *out, const struct smtp_server_options *o, struct instant now)
{
    (void)now;
    buf_add(out, STR(" RCPTMAX="));
    buf_add_u64(out, o->rcpt_max);
}

/* clang-format off */
static const struct {
    struct str name;
    bool (*offered)(const struct smtp_server_options *);
    /* null: none */
    void (*parameter)(struct buf *, const struct smtp_server_options *, struct instant now);
} keywords[] = {
    {STR_INIT("PIPELINING"),          always,      NULL},       /* RFC 2920 */
    {STR_INIT("SIZE"),                always,      add_size},   /* RFC 1870 */
    {STR_INIT("8BITMIME"),            always,      NULL},       /* RFC 6152 */
    {STR_INIT("SMTPUTF8"),            always,      NULL},       /* RFC 6531 */
    {STR_INIT("ENHANCEDSTATUSCODES"), always,      NULL},       /* RFC 2034 */
    {STR_INIT("CHUNKING"),            always,      NULL},       /* RFC 3030 */
    {STR_INIT("BINARYMIME"),          always,      NULL},       /* RFC 3030 */
    {STR_INIT("DSN"),                 always,      NULL},       /* RFC 3461 */
    {STR_INIT("LIMITS"),              always,      add_limits}, /* RFC 9422 */
    {STR_INIT("STARTTLS"),            if_starttls, NULL},       /* RFC 3207 */
    {STR_INIT("REQUIRETLS"),          if_secured,  NULL},       /* RFC 8689 */
    {STR_INIT("MT-PRIORITY"),         if_priority, NULL},       /* RFC 6710 */
    {STR_INIT("FUTURERELEASE"),       if_hold,     add_hold},   /* RFC 4865 */
    {STR_INIT("DELIVERBY"),           if_by,       add_by},     /* RFC 2852 */
    {STR_INIT("AUTH"),                if_auth,     add_mechanisms}, /* RFC 4954 */
    {STR_INIT("HELP"),                always,      NULL},       /* RFC 5321; last */
};
/* clang-format on */

void keyword_reply(struct buf *out, const struct smtp_server_options *options, struct instant now)
{
    buf_add(out, STR("250-"));
    buf_add(out, options->hostname);
    buf_add(out, STR("\r\n"));
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
        if (!keywords[i].offered(options)) {
            continue;
        }
        buf_add(out, i + 1 < ARRAY_LEN(keywords) ? STR("250-") : STR("250 "));
        buf_add(out, keywords[i].name);
        if (keywords[i].parameter) {
            keywords[i].parameter(out, options, now);
        }
        buf_add(out, STR("\r\n"));
    }
}
