#include "core/mail/queue_id.h"

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

struct queue_id queue_id_make(struct queue_id_maker *maker, struct instant now)
{
    uint64_t us = now.us > 0 ? (uint64_t)now.us : 0;
    if (us <= maker->last_us) {
        us = maker->last_us + 1;
    }
    maker->last_us = us;
    return (struct queue_id){us << 8 | maker->loop};
}

struct queue_id_text queue_id_text(struct queue_id id)
{
    struct queue_id_text text = {{0}};
    for (int i = QUEUE_ID_LEN - 1; i >= 0; i--) {
        text.chars[i] = digits[id.value & 31];
        id.value >>= 5;
    }
    return text;
}

bool queue_id_parse(struct str text, struct queue_id *id)
{
    uint64_t value = 0;
    if (text.len != QUEUE_ID_LEN) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        size_t digit = str_find(str_from(digits, 32), ascii_lower(text.ptr[i]));
        if (digit == STR_NONE || value >> 59 != 0) {
            return false;
        }
        value = value << 5 | digit;
    }
    *id = (struct queue_id){value};
    return true;
}
