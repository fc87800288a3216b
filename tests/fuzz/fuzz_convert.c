/* Properties: what was converted fits the target, and converting it again changes nothing. */
#include "core/base/utf8.h"
#include "core/mail/convert.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str message = str_from((const char *)data, size);
    for (int eight = 0; eight < 2; eight++) {
        enum envelope_body target = eight ? BODY_8BITMIME : BODY_7BIT;
        struct buf once = {0};
        struct buf twice = {0};
        if (convert_body(message, target, &once) == CONVERT_OK) {
            if ((!eight && str_has_high_octet(buf_str(&once))) ||
                convert_body(buf_str(&once), target, &twice) != CONVERT_OK ||
                !str_eq(buf_str(&once), buf_str(&twice))) {
                abort();
            }
        }
        buf_done(&once);
        buf_done(&twice);
    }
    return 0;
}
