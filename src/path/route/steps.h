/* steps.h: notes of the machines as the steps of a routing. */
#pragma once

#include "core/dns/question.h"
#include "core/mail/next_hop.h"

/* Null with a count of 0 where memory failed. */
struct routing_step *steps_from(const struct dns_notes *notes, struct arena *arena, size_t *count);
