/* Properties: what comes out is the same however the field was cut; to do it twice is to do it
 * once; without what was inserted it is what went in; a field that can be read names as many
 * addresses as before, each of which is the old one or that with the domain. */
#include "core/mail/address_list.h"
#include "core/mail/completer.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No input has a "Z" of its own. */
#define DOMAIN "Z.Z"
static const struct str standing[] = {STR_INIT("lan")};
static const struct completion completion = {
    .domain = STR_INIT(DOMAIN), .hosts = true, .standing = standing, .standing_count = 1};

static uint32_t complete(struct str field, size_t step, struct buf *out)
{
    struct completer c = {.completion = &completion};
    struct str piece;
    for (; field.len > 0; field = str_tail(field, step)) {
        struct str part = str_head(field, step);
        while (completer_take(&c, &part, &piece)) {
            buf_add(out, piece);
        }
        if (part.len > 0) {
            abort();
        }
    }
    if (completer_end(&c, &piece)) {
        buf_add(out, piece);
    }
    return c.inserted;
}

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* The text without what was inserted. */
static void without_insertions(struct str text, struct buf *out)
{
    while (text.len > 0) {
        bool inserted = str_starts(str_tail(text, 1), STR(DOMAIN));
        buf_add(out, inserted ? STR("") : str_head(text, 1));
        text = str_tail(text, inserted ? sizeof "@" DOMAIN - 1 : 1);
    }
}

static void compare_addresses(struct str field, struct str whole)
{
    struct address_list before = {.rest = field}, after = {.rest = whole};
    struct buf was = {0}, is = {0};
    while (address_list_next(&before, &was)) {
        must(address_list_next(&after, &is));
        bool same = str_eq(buf_str(&was), buf_str(&is));
        bool longer = str_starts(buf_str(&is), buf_str(&was)) &&
                      is.len == was.len + sizeof "@" DOMAIN - 1 &&
                      str_ends(buf_str(&is), STR(DOMAIN));
        must(same || longer);
    }
    must(!address_list_next(&after, &is) && before.damaged == after.damaged);
    buf_done(&was);
    buf_done(&is);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf in = {0}, whole = {0}, again = {0}, back = {0};
    if (size > COMPLETER_INSERTED_MAX / sizeof "@" DOMAIN) {
        return 0; /* where no more is inserted, a second time goes on */
    }
    for (size_t i = 0; i < size; i++) {
        buf_add_char(&in, data[i] == 'Z' ? 'z' : (char)data[i]);
    }
    struct str field = buf_str(&in);
    uint32_t inserted = complete(field, size + 1, &whole);
    for (size_t step = 1; step <= 5; step++) {
        struct buf cut = {0};
        must(complete(field, step, &cut) == inserted && str_eq(buf_str(&cut), buf_str(&whole)));
        buf_done(&cut);
    }
    must(whole.len == size + inserted);
    without_insertions(buf_str(&whole), &back);
    must(str_eq(buf_str(&back), field));
    must(complete(buf_str(&whole), size + 1, &again) == 0);
    compare_addresses(field, buf_str(&whole));
    buf_done(&in);
    buf_done(&whole);
    buf_done(&again);
    buf_done(&back);
    return 0;
}
