#include "core/mail/alias_items.h"

#include "core/base/buf.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The place after the quoted string that begins at `at`, or STR_NONE where nothing closes it. */
static size_t after_quoted(struct str s, size_t at)
{
    for (size_t i = at + 1; i < s.len; i++) {
        if (s.ptr[i] == '"') {
            return i + 1;
        }
        i += s.ptr[i] == '\\';
    }
    return STR_NONE;
}

/* The place after the comment in parentheses, which nest (RFC 5322 3.2.2), or STR_NONE. */
static size_t after_comment(struct str s, size_t at)
{
    size_t depth = 0;
    for (size_t i = at; i < s.len; i++) {
        if (s.ptr[i] == '(') {
            depth++;
        } else if (s.ptr[i] == ')' && --depth == 0) {
            return i + 1;
        }
        i += s.ptr[i] == '\\';
    }
    return STR_NONE;
}

/* Files and programs may have any character but a comma; only addresses have comments. */
static bool is_address(struct str s)
{
    return !str_starts(s, STR("/")) && !str_starts(s, STR("|")) && !str_starts(s, STR(":"));
}

/* The comma that ends the item, or the line's end; STR_NONE where a quotation mark or a parenthesis
 * is open. */
static size_t item_end(struct str s)
{
    bool address = is_address(s);
    size_t i = 0;
    while (i < s.len && s.ptr[i] != ',') {
        size_t next = i + 1;
        if (s.ptr[i] == '"') {
            next = after_quoted(s, i);
        } else if (s.ptr[i] == '(' && address) {
            next = after_comment(s, i);
        }
        if (next == STR_NONE) {
            return STR_NONE;
        }
        i = next;
    }
    return i;
}

/* What stands between quotation marks that hold the whole; false: they do not. */
static bool unquote(struct alias_items *items, struct str s, struct str *inside)
{
    if (!str_starts(s, STR("\"")) || after_quoted(s, 0) != s.len) {
        return false;
    }
    struct buf text = {0};
    for (size_t i = 1; i + 1 < s.len; i++) {
        i += s.ptr[i] == '\\';
        buf_add_char(&text, s.ptr[i]);
    }
    *inside = text.failed ? (struct str){0} : arena_copy(items->arena, buf_str(&text));
    items->no_memory = items->no_memory || !inside->ptr;
    buf_done(&text);
    return true;
}

/* The address without its comments. */
static struct str without_comments(struct alias_items *items, struct str s)
{
    struct buf text = {0};
    for (size_t i = 0; i < s.len;) {
        size_t next = i + 1;
        if (s.ptr[i] == '"') {
            next = after_quoted(s, i);
        } else if (s.ptr[i] == '(') {
            i = after_comment(s, i);
            continue;
        }
        buf_add(&text, str_from(s.ptr + i, next - i));
        i = next;
    }
    struct str made = text.failed ? (struct str){0} : arena_copy(items->arena, buf_str(&text));
    items->no_memory = items->no_memory || !made.ptr;
    buf_done(&text);
    return str_trim(made);
}

static bool has_blank(struct str s)
{
    return str_find(s, ' ') != STR_NONE || str_find(s, '\t') != STR_NONE;
}

/* "Name <address>" and "<address>": what the brackets hold. */
static struct str in_brackets(struct alias_item *item, struct str s)
{
    size_t open = 0;
    while (open < s.len && s.ptr[open] != '<') {
        open = s.ptr[open] == '"' ? after_quoted(s, open) : open + 1;
    }
    struct str inside = str_tail(s, open + 1);
    if (open == s.len) {
        item->error = has_blank(s) && s.ptr[0] != '"' ? "expected a comma between addresses" : NULL;
        return s;
    }
    if (!str_ends(inside, STR(">"))) {
        item->error = "expected a \">\", and after it a comma or the line's end";
        return s;
    }
    return str_trim(str_head(inside, inside.len - 1));
}

static void check_path(struct alias_item *item, const char *relative)
{
    if (!str_starts(item->text, STR("/"))) {
        item->error = relative;
    }
    if (str_has_control(item->text)) {
        item->error = "a control character";
    }
}

static void classify(struct alias_items *items, struct alias_item *item, struct str raw)
{
    struct str text = raw;
    bool quoted = unquote(items, raw, &text);
    if (str_starts(text, STR("/"))) {
        item->kind = ITEM_FILE;
        item->text = text;
        check_path(item, NULL);
    } else if (str_starts(text, STR("|"))) {
        item->kind = ITEM_PIPE;
        struct str command = str_trim(str_tail(text, 1));
        (void)unquote(items, command, &command); /* |"program argument" */
        item->text = str_trim(command);
        check_path(item, "a program is named by its absolute path");
    } else if (str_starts_nocase(text, STR(":include:"))) {
        item->kind = ITEM_INCLUDE;
        item->text = str_trim(str_tail(text, 9));
        (void)unquote(items, item->text, &item->text);
        check_path(item, "a list is named by its absolute path");
    } else if (str_starts(text, STR(":"))) {
        item->error = "expected an address, \"/file\", \"|program\" or \":include:/file\"";
    } else {
        /* Quotes around a whole address hold it together; those of a local part stay. */
        bool whole = quoted && !has_blank(text) && str_find(text, '@') != STR_NONE;
        item->text = whole ? text : in_brackets(item, without_comments(items, raw));
    }
}

bool alias_items_next(struct alias_items *items, struct alias_item *item)
{
    struct str line = items->line;
    while (items->at < line.len && (is_blank(line.ptr[items->at]) || line.ptr[items->at] == ',')) {
        items->at++;
    }
    if (items->at == line.len || items->no_memory) {
        return false;
    }
    struct str rest = str_tail(line, items->at);
    size_t end = item_end(rest);
    *item = (struct alias_item){.offset = items->at};
    if (end == STR_NONE) {
        item->text = rest;
        item->error = "a quotation mark or parenthesis is not closed";
        items->at = line.len;
        return true;
    }
    items->at += end;
    classify(items, item, str_trim(str_head(rest, end)));
    return !items->no_memory;
}
