/* facts.h: a trace for a program: what --json prints. trace.schema.json, beside this file, says
 * what each member means; members may be added, and none goes away. */
#pragma once

#include "cli/trace/words.h"

#include <jansson.h>

/* The caller's; null: no memory. */
json_t *facts_of_trace(const struct trace_view *view);
