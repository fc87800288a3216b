/* picture.c: the route as SVG, for page.h. */
#include "cli/trace/page.h"

#include "core/base/utf8.h"

enum {
    WIDTH = 360,
    TOP = 24,
    STEP = 92, /* from host to host */
    RAIL = 22, /* where the hosts stand */
    WORDS = 44,
    RADIUS = 8,
    NAME_MAX = 38, /* characters; the card below has the whole */
    BAR_CELL = 9,
    BREAK = 64, /* between what is forged and what is believed */
};

/* Cut where it would leave the picture. */
static void short_text(struct buf *out, struct str text)
{
    size_t at = 0;
    for (size_t n = 0; at < text.len && n < NAME_MAX; n++) {
        size_t wide = utf8_beyond_ascii(str_tail(text, at));
        at += wide > 0 ? wide : 1;
    }
    page_text(out, str_head(text, at));
    buf_add(out, at < text.len ? STR("\xe2\x80\xa6") : STR(""));
}

static void host(struct buf *out, size_t y, struct str name, enum trace_verdict verdict)
{
    const char *class = trace_verdict_name(verdict);
    buf_add_format(out,
                   "<g class=\"%s\"><circle class=\"host\" cx=\"%d\" cy=\"%zu\" r=\"%d\"/></g>",
                   class, RAIL, y, RADIUS);
    buf_add_format(out, "<text x=\"%d\" y=\"%zu\"><title>", WORDS, y + 5);
    page_text(out, name);
    buf_add(out, STR("</title>"));
    short_text(out, name);
    buf_add(out, STR("</text>\n"));
}

/* A line, from the host at `y` down to the next. */
static void edge(struct buf *out, const struct trace *t, size_t index, size_t y)
{
    const struct trace_hop *hop = &t->hops[index];
    const char *verdict = trace_verdict_name(hop->verdict);
    buf_add_format(out, "<a href=\"#line%zu\"><g class=\"%s\">", index + 1, verdict);
    buf_add_format(out,
                   "<line class=\"edge %s\" x1=\"%d\" y1=\"%zu\" x2=\"%d\" y2=\"%zu\"/>"
                   "<text class=\"say\" x=\"%d\" y=\"%zu\">%s line %zu: %s%s</text>",
                   verdict, RAIL, y + RADIUS + 2, RAIL, y + STEP - RADIUS - 2, WORDS,
                   y + STEP / 2 - 3, verdict_look(hop->verdict)->sign, index + 1, verdict,
                   index == t->origin ? " \xe2\x80\x93 here it entered" : "");
    if (hop->delay != TRACE_NO_DELAY) {
        struct buf words = {0};
        unsigned bar = words_bar(hop->delay) * BAR_CELL;
        words_span(&words, hop->delay);
        buf_add_format(out,
                       "<rect class=\"say\" x=\"%d\" y=\"%zu\" width=\"%u\" height=\"6\" rx=\"3\"/>"
                       "<text class=\"small\" x=\"%u\" y=\"%zu\">%.*s</text>",
                       WORDS, y + STEP / 2 + 6, bar, WORDS + bar + (bar > 0 ? 6 : 0),
                       y + STEP / 2 + 13, STR_ARG(buf_str(&words)));
        buf_done(&words);
    }
    buf_add(out, STR("</g></a>\n"));
}

/* The lowest line of what is believed: above it in the picture stands what is forged, which did not
 * lead here. */
static bool begins_anew(const struct trace *t, size_t index)
{
    return t->first_forged != TRACE_NONE && index + 1 == t->first_forged;
}

static void route(struct buf *out, const struct trace *t)
{
    struct buf name = {0};
    size_t y = TOP;
    for (size_t index = t->hop_count; index-- > 0;) {
        const struct trace_hop *hop = &t->hops[index];
        if (begins_anew(t, index)) {
            y += BREAK;
            buf_add_format(out,
                           "<text class=\"small\" x=\"%d\" y=\"%zu\">\xe2\x86\x91 forged: the "
                           "message was never there</text>\n",
                           WORDS, y - BREAK / 2 + 4);
        }
        if (index + 1 == t->hop_count || begins_anew(t, index)) {
            buf_clear(&name);
            words_client(&name, &hop->received);
            host(out, y, buf_str(&name), hop->verdict);
        }
        edge(out, t, index, y);
        y += STEP;
        buf_clear(&name);
        words_writer(&name, &hop->received);
        host(out, y, buf_str(&name), hop->verdict);
    }
    buf_done(&name);
}

void page_picture(struct buf *out, const struct trace *t)
{
    bool breaks = t->first_forged != TRACE_NONE && t->first_forged > 0;
    buf_add_format(out,
                   "<svg viewBox=\"0 0 %d %zu\" role=\"img\" aria-label=\"The route: %zu lines, "
                   "verdict %s\">\n",
                   WIDTH, TOP + TOP + t->hop_count * STEP + (breaks ? BREAK : 0), t->hop_count,
                   trace_verdict_name(t->verdict));
    route(out, t);
    buf_add(out, STR("</svg>\n"));
}
