/* judge.h: `postrider trace`: reads messages, has them judged, and shows what was found. Blocks. */
#pragma once

#include "cli/trace/options.h"
#include "config/config.h"

/* Whether the configuration is wanted: for the DNS, or for the control socket. */
bool trace_needs_config(const struct trace_options *options);
/* `config` may be null where it is not needed. An exit code. */
int trace_judge_messages(const struct trace_options *options, const struct config *config);
