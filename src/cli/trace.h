/* trace.h: the parts of `postrider trace`. */
#pragma once

/* Reads one Received field from standard input and prints what it says. An exit code. */
int trace_received(void);
