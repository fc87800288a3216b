/* dns_options.h: a libunbound context made ready, for this folder alone. */
#pragma once

#include "world/resolver.h"

struct ub_ctx;

/* False with a text for people. Also starts the context, so that a trust anchor that cannot be
 * read is found now and not at the first question. */
NODISCARD bool dns_options_apply(struct ub_ctx *ub, const struct dns_service_options *options,
                                 char *reason, size_t reason_size);
