#include "core/trace/token.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str skip_blanks(struct str text)
{
    size_t at = 0;
    while (at < text.len && is_blank(text.ptr[at])) {
        at++;
    }
    return str_tail(text, at);
}

/* `text` begins after "(". Octets of the comment; `*closed`: its ")" follows. */
static size_t comment_length(struct str text, bool *closed)
{
    size_t depth = 1;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\\') {
            i++;
        } else if (c == '(') {
            depth++;
        } else if (c == ')' && --depth == 0) {
            *closed = true;
            return i;
        }
    }
    *closed = false;
    return text.len;
}

/* A bracket that closes on the same field keeps what is in it together, blanks too; but not over a
 * parenthesis, which is more likely a comment than a part of an address. */
static size_t bracket_length(struct str text, char close)
{
    for (size_t i = 1; i < text.len && i < 400; i++) {
        if (text.ptr[i] == close) {
            return i + 1;
        }
        if (text.ptr[i] == ';' || (close == '>' && (is_blank(text.ptr[i]) || text.ptr[i] == '('))) {
            break;
        }
    }
    return 1;
}

static size_t word_length(struct str text)
{
    size_t i = 0;
    while (i < text.len) {
        char c = text.ptr[i];
        if (is_blank(c) || c == '(' || c == ';' || c == ')') {
            break;
        }
        if (c == '[' || c == '<') {
            i += bracket_length(str_tail(text, i), c == '[' ? ']' : '>');
        } else if (c == '"') {
            size_t end = str_find(str_head(str_tail(text, i + 1), 320), '"');
            i += end == STR_NONE ? 1 : end + 2;
        } else {
            i++;
        }
    }
    return i;
}

struct token token_next(struct str *rest)
{
    struct str text = skip_blanks(*rest);
    struct token token = {.kind = TOKEN_END};
    size_t used = 0;
    if (text.len == 0) {
        *rest = text;
        return token;
    }
    char c = text.ptr[0];
    if (c == '(') {
        bool closed = false;
        size_t len = comment_length(str_tail(text, 1), &closed);
        token = (struct token){TOKEN_COMMENT, str_from(text.ptr + 1, len)};
        used = 1 + len + closed;
    } else if (c == ';' || c == ')') {
        token = (struct token){c == ';' ? TOKEN_SEMICOLON : TOKEN_WORD, str_head(text, 1)};
        used = 1;
    } else {
        used = word_length(text);
        token = (struct token){TOKEN_WORD, str_head(text, used)};
    }
    *rest = str_tail(text, used);
    return token;
}

struct str comment_word(struct str *rest)
{
    struct str text = *rest;
    size_t start = 0;
    while (start < text.len && (is_blank(text.ptr[start]) || text.ptr[start] == ',')) {
        start++;
    }
    size_t end = start;
    while (end < text.len && !is_blank(text.ptr[end]) && text.ptr[end] != ',') {
        end++;
    }
    *rest = str_tail(text, end);
    return str_from(text.ptr + start, end - start);
}
