/* page.h: a trace as one page of HTML that needs nothing else: no scripts, nothing loaded. It
 * follows the reader's choice of dark or light, and fits a phone. Whatever the message says is
 * escaped. */
#pragma once

#include "cli/trace/words.h"

void page_render(struct buf *out, const struct trace_view *view);

/* Text of others for HTML or SVG, inside an element or a quoted attribute. */
void page_text(struct buf *out, struct str text);
/* The route as a picture (SVG): hosts from the origin down to here, a Received line between each
 * two of them; what is forged apart from what is believed. */
void page_picture(struct buf *out, const struct trace *t);
