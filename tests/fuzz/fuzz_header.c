/* Properties: fields and body are the message, joined; dates and addresses in values never upset
 * their readers. */
#include "core/mail/address_list.h"
#include "core/mail/date.h"
#include "core/mail/header.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str message = str_from((const char *)data, size);
    struct header_iter it = header_begin(message);
    size_t used = 0;
    for (struct header_field f; header_next(&it, &f);) {
        struct instant t;
        struct address_list list = {.rest = f.value};
        struct buf address = {0};
        size_t addresses = 0;
        used += f.whole.len;
        (void)!date_parse(f.value, &t, NULL);
        while (address_list_next(&list, &address)) {
            addresses += address.len;
        }
        if (addresses > f.value.len) {
            abort();
        }
        buf_done(&address);
    }
    if (used + it.rest.len != size || header_body(&it).len > it.rest.len) {
        abort();
    }
    return 0;
}
