/* Properties: what decodes encodes to the same bytes. */
#include "core/mail/outcome.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = str_from((const char *)data, size);
    struct arena arena = {0};
    struct envelope e;
    struct outcome o;
    struct buf again = {0};
    if (envelope_decode(bytes, &arena, &e)) {
        envelope_encode(&again, &e);
        if (!str_eq(buf_str(&again), bytes)) {
            abort();
        }
    }
    buf_clear(&again);
    struct str rest = bytes;
    while (outcome_decode(&rest, &arena, &o) == 1) {
        outcome_encode(&again, &o);
    }
    if (!str_eq(buf_str(&again), str_head(bytes, size - rest.len))) {
        abort();
    }
    buf_done(&again);
    arena_done(&arena);
    return 0;
}
