/* print.h: what came from elsewhere, on a person's terminal. */
#pragma once

#include "core/base/str.h"

#include <stdio.h>

/* UTF-8 as it is, but nothing that steers a terminal or reorders text: control characters become
 * '?'; a line's end only where `lines`, else a space. */
void print_text(FILE *to, struct str text, bool lines);
