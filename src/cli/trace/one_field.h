/* one_field.h: `postrider trace --received`. */
#pragma once

/* Reads one Received field from standard input and prints what it says. An exit code. */
int trace_one_field(void);
