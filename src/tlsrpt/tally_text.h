/* tally_text.h: what the tally keeps of a domain with one policy and few failures, as most have, as
 * a short text: of 10,000 domains each takes 100 octets in place of 3 KB as objects. A JSON array
 * of the policy's members and then of its details', in the order of tally.h; "=" stands for the
 * domain. */
#pragma once

#include <jansson.h>

#include "core/base/str.h"

enum { TALLY_TEXT_DETAILS_MAX = 2 };

/* A new string; null: it is no such list of policies, or no memory. */
json_t *tally_text_write(struct str domain, const json_t *policies);
/* A new list of one policy, members of any kind; null: not such a text, or no memory. A text that
 * is a list of objects is that list: once it was written so. */
json_t *tally_text_read(struct str domain, const json_t *text);
