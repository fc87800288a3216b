/* letter.h: the message that the worker hands over, whole before anything is done with it: a file
 * without a name, which is gone with the process. */
#pragma once

#include "core/base/str.h"

struct letter {
    int file;
    struct str text; /* mapped; lines end with LF */
    struct str id, sender, recipient;
};

/* From standard input. `end` must follow the message: without it the worker, or the pipe, broke.
 * False: it is not whole, longer than `most`, or there is no room. */
NODISCARD bool letter_read(struct letter *letter, struct str end, uint64_t most);
/* All of the bytes, where the file stands; false with errno. */
NODISCARD bool letter_write(int file, struct str bytes);
