#include "cli/trace/page.h"

#include "cli/print.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<title>Where a message came from</title>\n<style>\n"
    ":root { --paper: #fbfaf7; --ink: #1d1d1f; --quiet: #63636a; --card: #fff; --rim: #dddbd4;\n"
    "  --proven: #19763a; --consistent: #0b6e8a; --unverifiable: #6b6b74; --suspect: #a15c00;\n"
    "  --forged: #c0202c; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "  :root { --paper: #16171a; --ink: #ececf0; --quiet: #a0a0aa; --card: #202227;\n"
    "    --rim: #383a42; --proven: #52c87a; --consistent: #4cc3e6; --unverifiable: #a9a9b4;\n"
    "    --suspect: #f0a642; --forged: #ff6b70; } }\n"
    "* { box-sizing: border-box; }\n"
    "body { margin: 0 auto; padding: 1rem; max-width: 44rem; background: var(--paper);\n"
    "  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }\n"
    "h1 { font-size: 1.4rem; margin: .5rem 0; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .5rem; }\n"
    "p { margin: .4rem 0; } .quiet { color: var(--quiet); font-size: .9rem; }\n"
    ".finding { border-left: .35rem solid; padding: .1rem 0 .1rem .9rem; }\n"
    ".finding p { color: var(--ink); }\n"
    ".proven { color: var(--proven); } .consistent { color: var(--consistent); }\n"
    ".unverifiable { color: var(--unverifiable); } .suspect { color: var(--suspect); }\n"
    ".forged { color: var(--forged); }\n"
    "article { background: var(--card); border: 1px solid var(--rim); border-radius: .6rem;\n"
    "  padding: .7rem .9rem; margin: .7rem 0; }\n"
    "article h3 { font-size: 1rem; margin: 0 0 .3rem; }\n"
    "dl { display: grid; grid-template-columns: auto 1fr; gap: .1rem .8rem; margin: .3rem 0; }\n"
    "dt { color: var(--quiet); } dd { margin: 0; }\n"
    "ul { margin: .4rem 0; padding-left: 0; list-style: none; }\n"
    "li { padding-left: 1.4rem; text-indent: -1.4rem; }\n"
    "li b { display: inline-block; width: 1.4rem; text-indent: 0; }\n"
    "svg { display: block; width: 100%; max-width: 30rem; height: auto; margin: 0 auto; }\n"
    "svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }\n"
    "svg .small { fill: var(--quiet); font-size: 11px; }\n"
    "svg .edge { stroke: currentColor; stroke-width: 3; } svg .say { fill: currentColor; }\n"
    "svg .edge.forged { stroke-dasharray: 4 5; }\n"
    "svg .host { fill: var(--card); stroke: currentColor; stroke-width: 3; }\n"
    "</style>\n</head>\n<body>\n";

void page_text(struct buf *out, struct str text)
{
    static const struct {
        char c;
        struct str entity;
    } entities[] = {{'<', STR_INIT("&lt;")},
                    {'>', STR_INIT("&gt;")},
                    {'&', STR_INIT("&amp;")},
                    {'"', STR_INIT("&quot;")},
                    {'\'', STR_INIT("&#39;")}};
    struct buf clean = {0};
    print_clean(&clean, text, false);
    for (size_t i = 0; i < clean.len; i++) {
        size_t k = 0;
        while (k < ARRAY_LEN(entities) && entities[k].c != clean.ptr[i]) {
            k++;
        }
        if (k < ARRAY_LEN(entities)) {
            buf_add(out, entities[k].entity);
        } else {
            buf_add_char(out, clean.ptr[i]);
        }
    }
    buf_done(&clean);
}

/* Sentences, each a line, as paragraphs. */
static void paragraphs(struct buf *out, struct str sentences, const char *class)
{
    while (sentences.len > 0) {
        buf_add_format(out, "<p%s>", class);
        page_text(out, str_split(&sentences, '\n'));
        buf_add(out, STR("</p>\n"));
    }
}

static void finding(struct buf *out, const struct trace_view *view)
{
    const struct trace *t = view->trace;
    const char *verdict = trace_verdict_name(t->verdict);
    struct buf words = {0};
    if (view->source.len > 0) {
        buf_add(out, STR("<p class=\"quiet\">"));
        page_text(out, view->source);
        buf_add(out, STR("</p>\n"));
    }
    buf_add_format(out, "<section class=\"finding %s\">\n<h1>", verdict);
    if (t->hop_count > 0) {
        buf_add_format(out, "%s %s: %s", verdict_look(t->verdict)->sign, verdict,
                       verdict_look(t->verdict)->meaning);
    } else {
        buf_add(out, STR("Nothing to go by"));
    }
    buf_add(out, STR("</h1>\n"));
    words_finding(&words, view);
    paragraphs(out, buf_str(&words), "");
    buf_add(out, STR("</section>\n"));
    buf_clear(&words);
    words_ground(&words, view);
    paragraphs(out, buf_str(&words), " class=\"quiet\"");
    buf_done(&words);
}

static void fact(struct buf *out, const char *name, struct str value)
{
    if (value.len > 0) {
        buf_add_format(out, "<dt>%s</dt><dd>", name);
        page_text(out, value);
        buf_add(out, STR("</dd>\n"));
    }
}

static void facts(struct buf *out, const struct trace_hop *hop)
{
    const struct received *r = &hop->received;
    struct buf words = {0};
    void (*const says[])(struct buf *, const struct received *) = {words_client, words_writer,
                                                                   words_means};
    static const char *const names[] = {"from", "by", "with"};
    buf_add(out, STR("<dl>\n"));
    for (size_t i = 0; i < ARRAY_LEN(says); i++) {
        buf_clear(&words);
        says[i](&words, r);
        fact(out, names[i], buf_str(&words));
    }
    fact(out, "for", r->recipient);
    fact(out, "id", r->id);
    buf_clear(&words);
    if (r->date.known) {
        words_time(&words, r->date.seconds);
    }
    fact(out, "date", buf_str(&words));
    buf_clear(&words);
    if (hop->delay != TRACE_NO_DELAY) {
        words_span(&words, hop->delay);
        buf_add(&words, hop->delay < 0 ? STR(": before the line below") : STR(""));
    }
    fact(out, "delay", buf_str(&words));
    buf_add(out, STR("</dl>\n"));
    buf_done(&words);
}

static void card(struct buf *out, const struct trace *t, size_t index)
{
    const struct trace_hop *hop = &t->hops[index];
    const char *verdict = trace_verdict_name(hop->verdict);
    buf_add_format(out, "<article id=\"line%zu\">\n<h3 class=\"%s\">%s line %zu: %s%s%s</h3>\n",
                   index + 1, verdict, verdict_look(hop->verdict)->sign, index + 1, verdict,
                   hop->trusted ? ", trusted" : "",
                   index == t->origin ? " \xe2\x80\x93 here it entered" : "");
    facts(out, hop);
    if (hop->reasons) {
        buf_add(out, STR("<ul>\n"));
    }
    for (const struct trace_reason *r = hop->reasons; r; r = r->next) {
        const char *class = r->weight < 0 ? "forged" : r->weight > 0 ? "proven" : "quiet";
        const char *sign = r->weight < 0 ? "\xe2\x88\x92" : r->weight > 0 ? "+" : "\xc2\xb7";
        buf_add_format(out, "<li><b class=\"%s\">%s</b>", class, sign);
        page_text(out, r->text);
        buf_add(out, STR(" <span class=\"quiet\" title=\""));
        page_text(out, str_from_cstr(r->rule->meaning));
        buf_add_format(out, "\">%s %+d</span></li>\n", r->rule->name, r->weight);
    }
    buf_add(out, hop->reasons ? STR("</ul>\n") : STR(""));
    buf_add(out, STR("</article>\n"));
}

void page_render(struct buf *out, const struct trace_view *view)
{
    const struct trace *t = view->trace;
    buf_add(out, str_from(head, sizeof head - 1));
    finding(out, view);
    if (t->hop_count > 0) {
        buf_add(out, STR("<h2>The way, from the origin to here</h2>\n"));
        page_picture(out, t);
        buf_add(out, STR("<h2>Line by line, the oldest first</h2>\n"));
    }
    for (size_t i = t->hop_count; i-- > 0;) {
        card(out, t, i);
    }
    buf_add(out, STR("</body>\n</html>\n"));
}
