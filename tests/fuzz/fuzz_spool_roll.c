/* Property: what is read as a roll names ascending generations, and is written again as the same
 * bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "path/spool/roll.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct roll roll;
    struct str bytes = str_from((const char *)data, size);
    if (!roll_read(bytes, &roll)) {
        return 0;
    }
    uint64_t last = 0;
    for (size_t i = 0; i < roll_count(&roll); i++) {
        must(roll_generation(&roll, i) > last, "ascending");
        last = roll_generation(&roll, i);
    }
    must(roll_newest(&roll) == last, "the last is the newest");
    struct buf again = {0};
    roll_write(&again, &roll);
    size_t covered = 32 + roll.generations.len + 4;
    must(!again.failed && again.len >= covered, "memory");
    must(memcmp(again.ptr, data, covered) == 0, "the same bytes again");
    buf_done(&again);
    return 0;
}
