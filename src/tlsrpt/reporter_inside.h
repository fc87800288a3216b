/* reporter_inside.h: a report on its way to one place. */
#pragma once

#include "tlsrpt/reporter.h"

/* To r->record.places[r->place]; then reporter_place_done(), never from inside. */
void reporter_send(struct reporter *r);
void reporter_send_cancel(struct reporter *r);
/* `how`: in words, for the log. */
void reporter_place_done(struct reporter *r, bool good, const char *how);
