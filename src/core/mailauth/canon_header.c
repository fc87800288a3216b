#include "core/mailauth/canon_header.h"

#include "core/mailauth/tags.h"

#include <stdlib.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* As it stands, with CRLF where a line ends. */
static void add_simple(struct buf *out, struct str text)
{
    while (text.len > 0) {
        size_t lf = str_find(text, '\n');
        struct str line = str_head(text, lf == STR_NONE ? text.len : lf);
        text = str_tail(text, line.len + 1);
        if (lf == STR_NONE) {
            buf_add(out, line);
            break;
        }
        if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
            line.len--;
        }
        buf_add(out, line);
        buf_add(out, STR("\r\n"));
    }
}

/* Appends with every run of blanks as one space, and the ends of lines gone; `*space` is what is
 * owed from before and to what follows. */
static void add_relaxed(struct buf *out, struct str text, size_t start, bool *space)
{
    for (size_t i = 0; i < text.len; i++) {
        bool crlf = text.ptr[i] == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n';
        if (crlf || text.ptr[i] == '\n') {
            continue;
        }
        if (is_blank(text.ptr[i])) {
            *space = out->len > start;
            continue;
        }
        if (*space) {
            buf_add_char(out, ' ');
            *space = false;
        }
        buf_add_char(out, text.ptr[i]);
    }
}

static struct str without_line_end(struct str text)
{
    if (text.len > 0 && text.ptr[text.len - 1] == '\n') {
        text.len--;
    }
    if (text.len > 0 && text.ptr[text.len - 1] == '\r') {
        text.len--;
    }
    return text;
}

void canon_field(struct buf *out, const struct header_field *field, bool relaxed, struct str hole)
{
    struct str text = relaxed ? field->value : without_line_end(field->whole);
    struct str before = text;
    struct str after = {0};
    if (hole.len > 0) {
        before = str_head(text, (size_t)(hole.ptr - text.ptr));
        after = str_tail(text, before.len + hole.len);
    }
    if (!relaxed) {
        add_simple(out, before);
        add_simple(out, after);
        return;
    }
    for (size_t i = 0; i < field->name.len; i++) {
        buf_add_char(out, ascii_lower(field->name.ptr[i]));
    }
    buf_add_char(out, ':');
    size_t start = out->len;
    bool space = false;
    add_relaxed(out, before, start, &space);
    add_relaxed(out, after, start, &space);
}

static int compare_names(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < n; i++) {
        int difference = ascii_lower(a.ptr[i]) - ascii_lower(b.ptr[i]);
        if (difference != 0) {
            return difference;
        }
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

static int by_name(const void *left, const void *right)
{
    const struct canon_entry *a = left;
    const struct canon_entry *b = right;
    int names = compare_names(a->field.name, b->field.name);
    return names != 0 ? names : a->position > b->position ? -1 : a->position < b->position;
}

bool canon_index_make(struct canon_index *index, struct arena *arena, struct str header)
{
    size_t count = 0;
    struct header_field field;
    *index = (struct canon_index){0};
    for (struct header_iter it = header_begin(header); header_next(&it, &field);) {
        if (++count > CANON_FIELDS_MAX) {
            index->too_many = true;
            return true;
        }
    }
    index->entries = arena_array(arena, count ? count : 1, sizeof *index->entries);
    if (!index->entries) {
        return false;
    }
    for (struct header_iter it = header_begin(header); header_next(&it, &field);) {
        index->entries[index->count] = (struct canon_entry){field, index->count, 0};
        index->count++;
    }
    qsort(index->entries, index->count, sizeof *index->entries, by_name);
    return true;
}

/* The first entry of that name, or what would stand behind it. */
static size_t find(const struct canon_index *index, struct str name)
{
    size_t low = 0;
    size_t high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_names(index->entries[middle].field.name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t canon_count(const struct canon_index *index, struct str name)
{
    size_t first = find(index, name);
    size_t end = first;
    while (end < index->count && str_eq_nocase(index->entries[end].field.name, name)) {
        end++;
    }
    return end - first;
}

void canon_fields(struct buf *out, struct canon_index *index, struct str names, bool relaxed)
{
    for (size_t i = 0; i < index->count; i++) {
        index->entries[i].used = 0;
    }
    for (struct str name; tags_next_part(&names, &name);) {
        size_t first = find(index, name);
        if (first == index->count) {
            continue;
        }
        size_t at = first + index->entries[first].used;
        if (at < index->count && str_eq_nocase(index->entries[at].field.name, name)) {
            index->entries[first].used++;
            canon_field(out, &index->entries[at].field, relaxed, (struct str){0});
            buf_add(out, STR("\r\n"));
        }
    }
}
