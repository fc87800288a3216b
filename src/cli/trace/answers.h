/* answers.h: answers the questions of traces from the DNS, those of many messages at once. Blocks,
 * on a loop of its own. */
#pragma once

#include "core/trace/judgement.h"
#include "world/resolver.h"

enum {
    ANSWERS_AT_ONCE = 64, /* inquiries under way */
    ANSWERS_SECONDS = 20, /* then what is open stays so */
};

struct answers;

/* Null with a text for people. */
NODISCARD struct answers *answers_new(const struct dns_service_options *dns, char *reason,
                                      size_t reason_size);
/* Adds a trace that trace_ask() was done for. `whole`: its message is, so signatures can be
 * checked. It stays where it is until answers_wait() returned. */
void answers_add(struct answers *a, struct trace *trace, bool whole);
/* Asks for all that were added; texts of the answers are in each trace's arena. */
void answers_wait(struct answers *a);
void answers_free(struct answers *a); /* null is fine */
