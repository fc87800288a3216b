#include "cli/trace/text.h"

#include "cli/print.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_MIN = 40, WIDTH_MAX = 120, WIDTH_USUAL = 80 };

struct text_style text_style_of_stdout(void)
{
    struct winsize size = {0};
    const char *no_color = getenv("NO_COLOR");
    bool terminal = isatty(STDOUT_FILENO) != 0;
    (void)setlocale(LC_CTYPE, "");
    struct text_style style = {.colour = terminal && !(no_color && *no_color),
                               .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
                               .width = WIDTH_USUAL};
    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= WIDTH_MIN) {
        style.width = size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
    }
    return style;
}

static void colour(struct buf *out, const struct text_style *style, const char *sgr)
{
    if (style->colour) {
        buf_add_format(out, "\033[%sm", sgr);
    }
}

/* Columns, as far as one can tell without tables: a character is one. */
static size_t columns(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        n += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    }
    return n;
}

/* `text`, of one line or more, made safe and broken between words. The first line stands at
 * `column`, each further one at `indent`. */
static void wrap(struct buf *out, const struct text_style *style, struct str text, size_t column,
                 size_t indent)
{
    struct buf clean = {0};
    print_clean(&clean, text, true);
    struct str rest = buf_str(&clean);
    bool first = true;
    while (rest.len > 0) {
        struct str line = str_split(&rest, '\n');
        for (bool start = true; line.len > 0; start = false) {
            struct str word = str_split(&line, ' ');
            size_t wide = columns(word);
            if ((start && !first) || (!start && column + 1 + wide > style->width)) {
                buf_add_format(out, "\n%*s", (int)indent, "");
                column = indent;
            } else if (!start) {
                buf_add_char(out, ' ');
                column++;
            }
            buf_add(out, word);
            column += wide;
        }
        first = false;
    }
    buf_add_char(out, '\n');
    buf_done(&clean);
}

static const char *sign(const struct text_style *style, enum trace_verdict verdict)
{
    const struct verdict_look *look = verdict_look(verdict);
    return style->utf8 ? look->sign : look->plain;
}

static void heading(struct buf *out, const struct trace_view *view, const struct text_style *style)
{
    const struct trace *t = view->trace;
    struct buf words = {0};
    if (t->hop_count > 0) {
        colour(out, style, verdict_look(t->verdict)->sgr);
        buf_add_format(out, "%s %s", sign(style, t->verdict), trace_verdict_name(t->verdict));
        colour(out, style, "0");
        buf_add_format(out, ": %s\n", verdict_look(t->verdict)->meaning);
    }
    words_finding(&words, view);
    colour(out, style, "1");
    wrap(out, style, buf_str(&words), 0, 0);
    colour(out, style, "0");
    buf_clear(&words);
    words_ground(&words, view);
    if (words.len > 0) {
        buf_add_char(out, '\n');
        wrap(out, style, buf_str(&words), 0, 0);
    }
    buf_done(&words);
}

static void bar(struct buf *out, const struct text_style *style, int64_t delay)
{
    unsigned cells = words_bar(delay);
    colour(out, style, delay < 0 ? "31" : "36");
    for (unsigned i = 0; i < TRACE_BAR_MAX; i++) {
        const char *full = style->utf8 ? "\xe2\x96\x88" : "#";
        const char *empty = style->utf8 ? "\xe2\x96\x91" : ".";
        buf_add(out, str_from_cstr(i < cells ? full : empty));
    }
    colour(out, style, "0");
}

static void when(struct buf *out, const struct trace_hop *hop, const struct text_style *style)
{
    buf_add(out, STR("    "));
    if (hop->received.date.known) {
        words_time(out, hop->received.date.seconds);
    } else {
        buf_add(out, STR("no date that could be read"));
    }
    if (hop->delay != TRACE_NO_DELAY) {
        buf_add(out, STR("  "));
        bar(out, style, hop->delay);
        buf_add_char(out, ' ');
        words_span(out, hop->delay);
        buf_add(out, hop->delay < 0 ? STR(": before the line below") : STR(""));
    }
    buf_add_char(out, '\n');
}

static void reasons(struct buf *out, const struct trace_hop *hop, const struct text_style *style)
{
    for (const struct trace_reason *r = hop->reasons; r; r = r->next) {
        struct buf words = {0};
        buf_add_format(&words, "%.*s [%s]", STR_ARG(r->text), r->rule->name);
        colour(out, style, r->weight < 0 ? "31" : r->weight > 0 ? "32" : "0");
        buf_add_format(out, "    %c ", r->weight < 0 ? '-' : r->weight > 0 ? '+' : ' ');
        colour(out, style, "0");
        wrap(out, style, buf_str(&words), 6, 6);
        buf_done(&words);
    }
}

static void block(struct buf *out, const struct trace *t, size_t index,
                  const struct text_style *style)
{
    const struct trace_hop *hop = &t->hops[index];
    struct buf words = {0};
    buf_add_char(out, '\n');
    colour(out, style, verdict_look(hop->verdict)->sgr);
    buf_add_format(out, "%s line %zu  %s", sign(style, hop->verdict), index + 1,
                   trace_verdict_name(hop->verdict));
    colour(out, style, "0");
    buf_add(out, hop->trusted ? STR(", trusted") : STR(""));
    buf_add(out, index == t->origin ? STR("  <- here it entered") : STR(""));
    buf_add(out, STR("\n    "));
    words_client(&words, &hop->received);
    buf_add(&words, style->utf8 ? STR(" \xe2\x86\x92 ") : STR(" -> "));
    words_writer(&words, &hop->received);
    size_t bare = words.len;
    buf_add(&words, STR(" ("));
    words_means(&words, &hop->received);
    if (words.len == bare + 2) {
        words.len = bare;
    } else {
        buf_add_char(&words, ')');
    }
    wrap(out, style, buf_str(&words), 4, 6);
    when(out, hop, style);
    reasons(out, hop, style);
    buf_done(&words);
}

void text_render(struct buf *out, const struct trace_view *view, const struct text_style *style)
{
    const struct trace *t = view->trace;
    heading(out, view, style);
    if (t->hop_count > 1) {
        buf_add(out, STR("\nFrom the origin to here:\n"));
    }
    for (size_t i = t->hop_count; i-- > 0;) {
        if (i + 1 == t->first_forged) {
            colour(out, style, verdict_look(TRACE_FORGED)->sgr);
            buf_add(out, STR("\n--- everything above is forged ---\n"));
            colour(out, style, "0");
        }
        block(out, t, i, style);
    }
}

void text_render_line(struct buf *out, const struct trace_view *view,
                      const struct text_style *style)
{
    const struct trace *t = view->trace;
    struct buf words = {0};
    struct buf clean = {0};
    if (t->hop_count > 0) {
        words_host(&words, t->origin_ip, t->origin_name);
    }
    print_clean(&clean, words.len > 0 ? buf_str(&words) : STR("-"), false);
    colour(out, style, verdict_look(t->verdict)->sgr);
    buf_add_format(out, "%s %-12s", sign(style, t->verdict), trace_verdict_name(t->verdict));
    colour(out, style, "0");
    buf_add_format(out, "  %-40.*s  %3zu lines", STR_ARG(buf_str(&clean)), t->hop_count);
    if (t->first_forged != TRACE_NONE) {
        buf_add_format(out, ", forged from line %zu", t->first_forged + 1);
    }
    buf_clear(&clean);
    print_clean(&clean, view->source, false);
    buf_add_format(out, "  %.*s\n", STR_ARG(buf_str(&clean)));
    buf_done(&words);
    buf_done(&clean);
}
