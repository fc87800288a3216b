#include <string.h>
#include <time.h>

#include "world/log.h"

/* Room kept at the end for what closes a line: the mark that it was cut, braces, colours, LF. */
enum { TAIL = 64 };

struct line {
    char *out;
    size_t len;
    bool cut;
};

static const char *const level_names[] = {"debug", "info", "warning", "error"};
static const char *const level_colours[] = {"\033[2m", "\033[32m", "\033[33m", "\033[1;31m"};

/* All of it or nothing: escapes and UTF-8 sequences are not torn. */
static void add(struct line *l, struct str s)
{
    if (l->cut || s.len > LOG_LINE_MAX - TAIL - l->len) {
        l->cut = true;
        return;
    }
    memcpy(l->out + l->len, s.ptr, s.len);
    l->len += s.len;
}

static void add_tail(struct line *l, struct str s)
{
    memcpy(l->out + l->len, s.ptr, s.len);
    l->len += s.len;
}

static void add_number(struct line *l, int64_t number)
{
    char text[24];
    size_t at = sizeof text;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0) {
        text[--at] = '-';
    }
    add(l, str_from(text + at, sizeof text - at));
}

static void put_digits(char *at, int width, int value)
{
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* 2026-01-02T03:04:05.678Z; many lines are of one second. */
static void add_time(struct line *l, struct instant time)
{
    static _Thread_local char text[] = "1970-01-01T00:00:00.000Z";
    static _Thread_local time_t shown;
    time_t seconds = (time_t)instant_seconds(time);
    if (seconds != shown) {
        struct tm tm = {0};
        gmtime_r(&seconds, &tm);
        put_digits(text, 4, tm.tm_year + 1900);
        put_digits(text + 5, 2, tm.tm_mon + 1);
        put_digits(text + 8, 2, tm.tm_mday);
        put_digits(text + 11, 2, tm.tm_hour);
        put_digits(text + 14, 2, tm.tm_min);
        put_digits(text + 17, 2, tm.tm_sec);
        shown = seconds;
    }
    put_digits(text + 20, 3, (int)(time.us % 1000000 / 1000));
    add(l, str_from(text, sizeof text - 1));
}

/* One character of UTF-8 (RFC 3629): its length and code point; length 0 where it is none. */
static size_t decode(struct str s, uint32_t *code)
{
    const unsigned char *b = (const unsigned char *)s.ptr;
    size_t len = b[0] < 0x80 ? 1 : b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (len == 1) {
        *code = b[0];
        return 1;
    }
    if (b[0] < 0xc2 || b[0] > 0xf4 || len > s.len) {
        return 0;
    }
    uint32_t c = b[0] & (0x7fU >> len);
    for (size_t i = 1; i < len; i++) {
        if ((b[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (b[i] & 0x3fU);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return 0;
    }
    *code = c;
    return len;
}

/* Controls (C0, DEL, C1), and what reorders, breaks or hides text on a terminal. */
static bool is_harmful(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
           (c >= 0xe0000 && c <= 0xe0fff);
}

static void add_hex(struct line *l, struct str intro, uint32_t value, int digits)
{
    char text[12];
    size_t len = intro.len;
    memcpy(text, intro.ptr, len);
    for (int i = digits - 1; i >= 0; i--) {
        text[len++] = "0123456789abcdef"[(value >> (4 * i)) & 15];
    }
    add(l, str_from(text, len));
}

/* Eight characters that need no escape; a false "no" after one that does is all it gets wrong: a
 * subtraction borrows from the next byte. */
static bool are_usual(const char *eight)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t c;
    memcpy(&c, eight, sizeof c);
    uint64_t quote = c ^ (ones * '"');
    uint64_t backslash = c ^ (ones * '\\');
    uint64_t del = c ^ (ones * 0x7f);
    uint64_t odd = c | (c - ones * 0x20) | (quote - ones) | (backslash - ones) | (del - ones);
    return (odd & (ones * 0x80)) == 0;
}

/* How much of it needs no escape, mostly all. */
static size_t count_usual(struct str s)
{
    size_t n = 0;
    while (s.len - n >= 8 && are_usual(s.ptr + n)) {
        n += 8;
    }
    while (n < s.len && ascii_is_print(s.ptr[n]) && s.ptr[n] != '"' && s.ptr[n] != '\\') {
        n++;
    }
    return n;
}

/* Text between double quotes. JSON knows \u alone; a byte that is no UTF-8 stands there as the
 * characters \xNN. */
static void add_quoted_text(struct line *l, struct str s, bool json)
{
    while (s.len && !l->cut) {
        size_t usual = count_usual(s);
        if (usual > 0) {
            size_t room = LOG_LINE_MAX - TAIL - l->len;
            add(l, str_head(s, usual < room ? usual : room));
            l->cut = usual > room;
            s = str_tail(s, usual);
            continue;
        }
        uint32_t c = 0;
        size_t n = decode(s, &c);
        if (n == 0) {
            add_hex(l, json ? STR("\\\\x") : STR("\\x"), (unsigned char)s.ptr[0], 2);
            n = 1;
        } else if (c == '"' || c == '\\') {
            add(l, c == '"' ? STR("\\\"") : STR("\\\\"));
        } else if (!is_harmful(c)) {
            add(l, str_head(s, n));
        } else if (c > 0xffff && json) {
            l->cut = l->cut || LOG_LINE_MAX - TAIL - l->len < 12; /* both halves or none */
            add_hex(l, STR("\\u"), 0xd800 + ((c - 0x10000) >> 10), 4);
            add_hex(l, STR("\\u"), 0xdc00 + ((c - 0x10000) & 0x3ff), 4);
        } else if (json || c > 0xff) {
            add_hex(l, STR("\\u"), c, c > 0xffff ? 6 : 4);
        } else {
            add_hex(l, STR("\\x"), c, 2);
        }
        s = str_tail(s, n);
    }
}

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_is_print(s.ptr[i]) || s.ptr[i] == ' ' || s.ptr[i] == '"' || s.ptr[i] == '\\') {
            return false;
        }
    }
    return s.len > 0;
}

static void add_text(struct line *l, struct str s, bool json)
{
    if (!json && is_plain(s)) {
        add(l, s);
        return;
    }
    add(l, STR("\""));
    if (!l->cut) {
        add_quoted_text(l, s, json);
        add_tail(l, STR("\""));
    }
}

static void add_value(struct line *l, const struct log_field *f, bool json)
{
    char text[IP_TEXT_MAX];
    switch (f->kind) {
    case LOG_STR:
        add_text(l, f->text, json);
        return;
    case LOG_INT:
        add_number(l, f->number);
        return;
    case LOG_IP:
        add_text(l, ip_text(f->ip, text), json);
        return;
    }
}

/* A field begins only where its name and a value of some length still fit: a cut line ends between
 * fields or inside a quoted text, and stays well formed. */
static bool has_room(struct line *l, const struct log_field *f)
{
    size_t need = strlen(f->name) + 8 + (f->kind == LOG_STR ? 0 : IP_TEXT_MAX);
    l->cut = l->cut || need > LOG_LINE_MAX - TAIL - l->len;
    return !l->cut;
}

size_t log_render_json(char out[LOG_LINE_MAX], const struct log_line *line)
{
    struct line l = {.out = out};
    add(&l, STR("{\"time\":\""));
    add_time(&l, line->time);
    add(&l, STR("\",\"level\":\""));
    add(&l, str_from_cstr(level_names[line->level]));
    add(&l, STR("\",\"event\":"));
    add_text(&l, str_from_cstr(line->event), true);
    for (size_t i = 0; i < line->count && has_room(&l, &line->fields[i]); i++) {
        add(&l, STR(",\""));
        add(&l, str_from_cstr(line->fields[i].name));
        add(&l, STR("\":"));
        add_value(&l, &line->fields[i], true);
    }
    add_tail(&l, l.cut ? STR(",\"cut\":true}\n") : STR("}\n"));
    return l.len;
}

size_t log_render_readable(char out[LOG_LINE_MAX], const struct log_line *line, bool colours)
{
    struct line l = {.out = out};
    add_time(&l, line->time);
    add(&l, STR(" "));
    if (colours) {
        add(&l, str_from_cstr(level_colours[line->level]));
    }
    add(&l, str_from_cstr(level_names[line->level]));
    if (colours) {
        add(&l, STR("\033[0m"));
    }
    add(&l, STR(" "));
    add(&l, str_from_cstr(line->event));
    for (size_t i = 0; i < line->count && has_room(&l, &line->fields[i]); i++) {
        add(&l, STR(" "));
        add(&l, str_from_cstr(line->fields[i].name));
        add(&l, STR("="));
        add_value(&l, &line->fields[i], false);
    }
    add_tail(&l, l.cut ? STR(" [cut]\n") : STR("\n"));
    return l.len;
}
