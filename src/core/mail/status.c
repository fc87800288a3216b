#include "core/mail/status.h"

void status_format(struct buf *out, struct status_code status)
{
    buf_add_u64(out, status.class);
    buf_add_char(out, '.');
    buf_add_u64(out, status.subject);
    buf_add_char(out, '.');
    buf_add_u64(out, status.detail);
}

static bool parse_number(struct str digits, uint16_t *number)
{
    uint64_t value = 0;
    if (digits.len > 3 || !str_to_u64(digits, 999, &value)) {
        return false;
    }
    *number = (uint16_t)value;
    return true;
}

bool status_parse(struct str text, struct status_code *status)
{
    struct str rest = text;
    struct str class = str_split(&rest, '.');
    struct str subject = str_split(&rest, '.');
    struct status_code parsed = {0};
    if (class.len != 1 || str_find(STR("245"), class.ptr[0]) == STR_NONE) {
        return false;
    }
    parsed.class = (uint8_t)(class.ptr[0] - '0');
    if (!parse_number(subject, &parsed.subject) || !parse_number(rest, &parsed.detail)) {
        return false;
    }
    *status = parsed;
    return true;
}
