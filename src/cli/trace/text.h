/* text.h: a trace for a person at a terminal. What others sent cannot steer it. */
#pragma once

#include "cli/trace/words.h"

struct text_style {
    bool colour;  /* SGR sequences */
    bool utf8;    /* else ASCII alone, of what is ours */
    size_t width; /* columns at which long texts are broken */
};

/* For standard output as it is: no colour where it is no terminal or NO_COLOR is set. */
struct text_style text_style_of_stdout(void);

/* The finding on top, what it rests on, then the way from the origin to here, a block a hop. */
void text_render(struct buf *out, const struct trace_view *view, const struct text_style *style);
/* One line: verdict, origin, first forged line, how many there are, which message. */
void text_render_line(struct buf *out, const struct trace_view *view,
                      const struct text_style *style);
