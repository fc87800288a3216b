#include "core/smtp/keyword.h"

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

static void add_mechanisms(struct buf *out, const struct smtp_server_options *o)
{
    buf_add(out, o->mechanisms);
}

static void add_size(struct buf *out, const struct smtp_server_options *o)
{
    if (o->message_max > 0) {
        buf_add_char(out, ' ');
        buf_add_u64(out, o->message_max);
    }
}

static void add_limits(struct buf *out, const struct smtp_server_options *o)
{
    buf_add(out, STR(" RCPTMAX="));
    buf_add_u64(out, o->rcpt_max);
}

/* clang-format off */
static const struct {
    struct str name;
    bool (*offered)(const struct smtp_server_options *);
    void (*parameter)(struct buf *, const struct smtp_server_options *); /* null: none */
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
    {STR_INIT("AUTH"),                if_auth,     add_mechanisms}, /* RFC 4954 */
    {STR_INIT("HELP"),                always,      NULL},       /* RFC 5321; last */
};
/* clang-format on */

void keyword_reply(struct buf *out, const struct smtp_server_options *options)
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
            keywords[i].parameter(out, options);
        }
        buf_add(out, STR("\r\n"));
    }
}
