#include "world/wipe.h"

#include <string.h>

void wipe_buf(struct buf *b)
{
    if (b->ptr) {
        explicit_bzero(b->ptr, b->cap);
    }
    buf_done(b);
}
