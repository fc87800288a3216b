/* Properties: what is read is written again to the same bytes, names a recipient, and was read from
 * the head alone: no shorter piece of it is taken, and what follows it changes nothing. */
#include "control/pickup_format.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = str_from((const char *)data, size);
    struct arena arena = {0};
    struct envelope e, again;
    size_t head = 0, second = 0;
    if (pickup_read_head(bytes, &arena, &e, &head)) {
        struct buf written = {0};
        pickup_format_head(&written, &e);
        if (e.rcpt_count == 0 || head > size || !str_eq(buf_str(&written), str_head(bytes, head)) ||
            !pickup_read_head(str_head(bytes, head), &arena, &again, &second) || second != head ||
            pickup_read_head(str_head(bytes, head - 1), &arena, &again, &second)) {
            abort();
        }
        buf_done(&written);
    }
    arena_done(&arena);
    return 0;
}
