/* print.h: what came from elsewhere, on a person's terminal or page; facts for a program. */
#pragma once

#include "core/base/buf.h"

#include <jansson.h>
#include <stdio.h>

/* UTF-8 as it is, but nothing that steers a terminal or reorders text: control characters become
 * '?'; a line's end only where `lines`, else a space. */
void print_text(FILE *to, struct str text, bool lines);
void print_clean(struct buf *out, struct str text, bool lines);

/* What --json prints: one object, indented. */
void print_facts(const json_t *object);
