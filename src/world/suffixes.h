/* suffixes.h: port/suffixes.h by libpsl, with the system's list or, if there is none newer, its
 * own. */
#pragma once

#include "port/suffixes.h"

NODISCARD struct suffixes *suffixes_new(void); /* null: no memory */
void suffixes_free(struct suffixes *suffixes); /* null is fine */
