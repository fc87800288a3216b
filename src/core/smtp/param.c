#include "core/smtp/param.h"

#include "core/base/encode.h"
#include "core/base/scan.h"
#include "core/mail/date.h"

enum { ENVID_MAX = 100, ORCPT_MAX = 500 };

union any_params {
    struct mail_params *mail;
    struct rcpt_params *rcpt;
};

struct param_rule {
    struct str name;
    enum { VALUE_NONE, VALUE_NEEDED } value;
    bool (*take)(struct str value, union any_params into);
};

/* xtext of RFC 3461 section 4 that stands for printable ASCII: a CR or NUL in it would come back to
 * life in a report. */
static bool xtext_is_printable(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '+') {
            if (!ascii_is_print(text.ptr[i]) || text.ptr[i] == ' ' || text.ptr[i] == '=') {
                return false;
            }
            continue;
        }
        if (text.len - i < 3) {
            return false;
        }
        char hi = text.ptr[i + 1];
        char lo = text.ptr[i + 2];
        bool hex = ascii_is_hex(hi) && ascii_is_hex(lo) && !(hi >= 'a') && !(lo >= 'a');
        if (!hex || hi < '2' || hi > '7' || (hi == '7' && lo == 'F')) {
            return false;
        }
        i += 2;
    }
    return true;
}

/* RFC 6710 4.1: one digit, perhaps with "-", which 0 has not. */
static bool take_priority(struct str value, union any_params into)
{
    bool low = value.len == 2 && value.ptr[0] == '-' && value.ptr[1] != '0';
    if ((value.len != 1 && !low) || !ascii_is_digit(value.ptr[value.len - 1])) {
        return false;
    }
    int digit = value.ptr[value.len - 1] - '0';
    into.mail->priority = (int8_t)(low ? -digit : digit);
    into.mail->priority_given = true;
    return true;
}

/* RFC 4865 3: 1 to 9 digits without a leading zero. */
static bool take_hold_for(struct str value, union any_params into)
{
    uint64_t seconds = 0;
    bool digits = value.len > 0 && value.len <= 9 && value.ptr[0] != '0';
    if (!digits || !str_to_u64(value, 999999999, &seconds) || into.mail->hold_until.us != 0) {
        return false;
    }
    into.mail->hold_for = SPAN_S(seconds);
    return true;
}

static bool take_hold_until(struct str value, union any_params into)
{
    return into.mail->hold_for.us == 0 && date_parse_internet(value, &into.mail->hold_until) &&
           into.mail->hold_until.us != 0;
}

/* RFC 2852 3: by-time ";" by-mode [ by-trace ]; only to be told of may the time have passed. */
static bool take_by(struct str value, union any_params into)
{
    struct scan sc = {.rest = value};
    uint64_t seconds = 0;
    bool passed = scan_try_char(&sc, '-');
    if (!passed) {
        (void)scan_try_char(&sc, '+');
    }
    struct str digits = scan_while1(&sc, ascii_is_digit);
    scan_char(&sc, ';');
    if (!scan_ok(&sc) || digits.len > 9 || !str_to_u64(digits, BY_SECONDS_MAX, &seconds)) {
        return false;
    }
    struct str mode = str_head(sc.rest, 1);
    struct str trace = str_tail(sc.rest, mode.len);
    struct deliver_by by = {.seconds = passed ? -(int32_t)seconds : (int32_t)seconds};
    by.mode = str_eq_nocase(mode, STR("N"))   ? BY_NOTIFY
              : str_eq_nocase(mode, STR("R")) ? BY_RETURN
                                              : BY_NONE;
    by.trace = str_eq_nocase(trace, STR("T"));
    into.mail->by = by;
    return by.mode != BY_NONE && (by.trace || trace.len == 0) &&
           (by.mode == BY_NOTIFY || by.seconds > 0);
}

static bool take_size(struct str value, union any_params into)
{
    /* 1 to 20 digits; what does not fit 64 bits is too big for anybody. */
    if (value.len == 0 || value.len > 20) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (!ascii_is_digit(value.ptr[i])) {
            return false;
        }
    }
    if (!str_to_u64(value, UINT64_MAX, &into.mail->size)) {
        into.mail->size = UINT64_MAX;
    }
    into.mail->size_given = true;
    return true;
}

static bool take_body(struct str value, union any_params into)
{
    static const struct {
        struct str name;
        enum envelope_body body;
    } bodies[] = {{STR_INIT("7BIT"), BODY_7BIT},
                  {STR_INIT("8BITMIME"), BODY_8BITMIME},
                  {STR_INIT("BINARYMIME"), BODY_BINARYMIME}};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        if (str_eq_nocase(value, bodies[i].name)) {
            into.mail->body = bodies[i].body;
            into.mail->body_given = true;
            return true;
        }
    }
    return false;
}

static bool take_smtputf8(struct str value, union any_params into)
{
    into.mail->smtputf8 = value.len == 0;
    return into.mail->smtputf8;
}

static bool take_require_tls(struct str value, union any_params into)
{
    into.mail->require_tls = value.len == 0;
    return into.mail->require_tls;
}

static bool take_ret(struct str value, union any_params into)
{
    into.mail->ret = str_eq_nocase(value, STR("FULL"))   ? RET_FULL
                     : str_eq_nocase(value, STR("HDRS")) ? RET_HDRS
                                                         : RET_UNSET;
    return into.mail->ret != RET_UNSET;
}

static bool take_envid(struct str value, union any_params into)
{
    into.mail->envid = value;
    return value.len <= ENVID_MAX && xtext_is_printable(value);
}

static bool take_notify(struct str value, union any_params into)
{
    if (str_eq_nocase(value, STR("NEVER"))) {
        into.rcpt->notify = NOTIFY_NEVER;
        return true;
    }
    bool more = true;
    while (more) {
        more = str_find(value, ',') != STR_NONE;
        struct str word = str_split(&value, ',');
        unsigned bit = str_eq_nocase(word, STR("SUCCESS"))   ? NOTIFY_SUCCESS
                       : str_eq_nocase(word, STR("FAILURE")) ? NOTIFY_FAILURE
                       : str_eq_nocase(word, STR("DELAY"))   ? NOTIFY_DELAY
                                                             : 0;
        if (bit == 0) {
            return false;
        }
        into.rcpt->notify = (uint8_t)(into.rcpt->notify | bit);
    }
    return true;
}

static bool is_atom_char(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '+';
}

/* utf-8-addr-xtext and utf-8-addr-unitext of RFC 6533 section 3: kept as written, so only what
 * could harm is refused. */
static bool utf8_address_is_safe(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c == 0x7f || c == '=' || c == '+') {
            return false;
        }
    }
    return true;
}

static bool take_orcpt(struct str value, union any_params into)
{
    struct scan sc = {.rest = value};
    struct str type = scan_while1(&sc, is_atom_char);
    scan_char(&sc, ';');
    if (!scan_ok(&sc) || value.len > ORCPT_MAX || sc.rest.len == 0) {
        return false;
    }
    into.rcpt->orcpt_type = type;
    into.rcpt->orcpt_address = sc.rest;
    return str_eq_nocase(type, STR("utf-8")) ? utf8_address_is_safe(sc.rest)
                                             : xtext_is_printable(sc.rest);
}

/* clang-format off */
static const struct param_rule mail_rules[] = {
    {STR_INIT("SIZE"),     VALUE_NEEDED, take_size},     /* RFC 1870 */
    {STR_INIT("BODY"),     VALUE_NEEDED, take_body},     /* RFC 6152, RFC 3030 */
    {STR_INIT("SMTPUTF8"), VALUE_NONE,   take_smtputf8}, /* RFC 6531 */
    {STR_INIT("REQUIRETLS"), VALUE_NONE, take_require_tls}, /* RFC 8689 */
    {STR_INIT("RET"),      VALUE_NEEDED, take_ret},      /* RFC 3461 4.3 */
    {STR_INIT("ENVID"),    VALUE_NEEDED, take_envid},    /* RFC 3461 4.4 */
    {STR_INIT("MT-PRIORITY"), VALUE_NEEDED, take_priority}, /* RFC 6710 */
    {STR_INIT("HOLDFOR"),  VALUE_NEEDED, take_hold_for}, /* RFC 4865 */
    {STR_INIT("HOLDUNTIL"), VALUE_NEEDED, take_hold_until},
    {STR_INIT("BY"),       VALUE_NEEDED, take_by},       /* RFC 2852 */
};
static const struct param_rule rcpt_rules[] = {
    {STR_INIT("NOTIFY"),   VALUE_NEEDED, take_notify},   /* RFC 3461 4.1 */
    {STR_INIT("ORCPT"),    VALUE_NEEDED, take_orcpt},    /* RFC 3461 4.2 */
};
/* clang-format on */

struct rules {
    const struct param_rule *rules;
    size_t count;
};

static bool is_keyword_char(char c)
{
    return ascii_is_alnum(c) || c == '-';
}

/* esmtp-value: anything but "=", SP and controls; RFC 6531 3.3 adds UTF-8. */
static bool is_value_char(char c)
{
    unsigned char u = (unsigned char)c;
    return u > ' ' && u != '=' && u != 0x7f;
}

static enum param_result parse(struct str text, struct rules rules, union any_params into)
{
    unsigned seen = 0;
    bool unknown = false;
    struct scan sc = {.rest = text};
    scan_spaces(&sc);
    while (!scan_at_end(&sc)) {
        struct str name = scan_while1(&sc, is_keyword_char);
        bool has_value = scan_try_char(&sc, '=');
        struct str value = has_value ? scan_while1(&sc, is_value_char) : (struct str){0};
        if (!scan_at_end(&sc)) {
            scan_char(&sc, ' ');
            scan_spaces(&sc);
        }
        if (!scan_ok(&sc) || !ascii_is_alnum(name.ptr[0])) {
            return PARAM_BAD;
        }
        size_t i = 0;
        while (i < rules.count && !str_eq_nocase(name, rules.rules[i].name)) {
            i++;
        }
        if (i == rules.count) {
            unknown = true;
            continue;
        }
        bool fits = has_value == (rules.rules[i].value == VALUE_NEEDED);
        if ((seen & (1U << i)) != 0 || !fits || !rules.rules[i].take(value, into)) {
            return PARAM_BAD;
        }
        seen |= 1U << i;
    }
    return unknown ? PARAM_UNKNOWN : PARAM_OK;
}

enum param_result param_parse_mail(struct str text, struct mail_params *params)
{
    struct mail_params made = {0};
    enum param_result result = parse(text, (struct rules){mail_rules, ARRAY_LEN(mail_rules)},
                                     (union any_params){.mail = &made});
    if (result == PARAM_OK) {
        *params = made;
    }
    return result;
}

enum param_result param_parse_rcpt(struct str text, struct rcpt_params *params)
{
    struct rcpt_params made = {0};
    enum param_result result = parse(text, (struct rules){rcpt_rules, ARRAY_LEN(rcpt_rules)},
                                     (union any_params){.rcpt = &made});
    if (result == PARAM_OK) {
        *params = made;
    }
    return result;
}

static struct str decoded(struct str type, struct str xtext, struct arena *arena)
{
    struct buf text = {0};
    buf_add(&text, type);
    if (type.len > 0) {
        buf_add_char(&text, ';');
    }
    if (str_eq_nocase(type, STR("utf-8"))) {
        buf_add(&text, xtext);
    } else if (!xtext_decode(&text, xtext)) {
        text.failed = true;
    }
    struct str kept = text.failed ? (struct str){0} : arena_copy(arena, buf_str(&text));
    buf_done(&text);
    return kept;
}

struct str param_envid(const struct mail_params *params, struct arena *arena)
{
    return params->envid.len > 0 ? decoded((struct str){0}, params->envid, arena) : STR("");
}

struct str param_orcpt(const struct rcpt_params *params, struct arena *arena)
{
    return params->orcpt_type.len > 0 ? decoded(params->orcpt_type, params->orcpt_address, arena)
                                      : STR("");
}
