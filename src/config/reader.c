#include "config/reader.h"

#include "config/units.h"

#include <stdarg.h>
#include <string.h>

enum { STEPS_MAX = 1000000, SHOWN_MAX = 60, KEYS_MAX = 64 };

struct config_place node_place(const struct reader *r, const yaml_node_t *node)
{
    return (struct config_place){r->source->file, (uint32_t)node->start_mark.line + 1,
                                 (uint32_t)node->start_mark.column + 1};
}

void node_wrong(struct reader *r, const yaml_node_t *node, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    config_problem(r->problems, false, node_place(r, node), "%s", text);
}

static struct str scalar(const yaml_node_t *node)
{
    return str_from((const char *)node->data.scalar.value, node->data.scalar.length);
}

bool node_is_null(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
        return false;
    }
    struct str text = scalar(node);
    return text.len == 0 || str_eq(text, STR("~")) || str_eq_nocase(text, STR("null"));
}

bool node_text(struct reader *r, const yaml_node_t *node, const char *expected, struct str *text)
{
    if (node->type != YAML_SCALAR_NODE) {
        node_wrong(r, node, "expected %s, not a %s", expected,
                   node->type == YAML_SEQUENCE_NODE ? "list" : "map");
        return false;
    }
    struct str found = scalar(node);
    for (size_t i = 0; i < found.len; i++) {
        if ((unsigned char)found.ptr[i] < 0x20 || found.ptr[i] == 0x7f) {
            node_wrong(r, node, "a control character in %s", expected);
            return false;
        }
    }
    *text = found;
    return true;
}

bool node_copy(struct reader *r, const yaml_node_t *node, const char *expected, struct str *text)
{
    struct str found;
    if (!node_text(r, node, expected, &found)) {
        return false;
    }
    struct str copy = arena_copy(&r->config->arena, found);
    if (!copy.ptr) {
        node_wrong(r, node, "not enough memory");
        return false;
    }
    *text = copy;
    return true;
}

struct str absolute_path(struct reader *r, struct str path)
{
    size_t slash = str_rfind(r->source->file, '/');
    if (str_starts(path, STR("/")) || slash == STR_NONE) {
        return arena_copy(&r->config->arena, path);
    }
    while (str_starts(path, STR("./"))) {
        path = str_tail(path, 2);
    }
    struct str folder = str_head(r->source->file, slash);
    return arena_format(&r->config->arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(path));
}

bool node_file(struct reader *r, const yaml_node_t *node, const char *expected, struct str *path)
{
    struct str text;
    if (!node_text(r, node, expected, &text)) {
        return false;
    }
    struct str whole = absolute_path(r, text);
    struct config_file *file = ARENA_NEW(&r->config->arena, struct config_file);
    if (text.len == 0 || !whole.ptr || !file) {
        node_wrong(r, node, "expected %s", expected);
        return false;
    }
    *file = (struct config_file){.path = whole, .next = r->config->files};
    r->config->files = file;
    *path = whole;
    return true;
}

/* False when the document has been walked through far more often than a sane one needs. */
static bool may_step(struct reader *r, const yaml_node_t *node)
{
    if (r->steps == STEPS_MAX) {
        node_wrong(r, node, "the configuration is too large (anchors count each time)");
    }
    if (r->steps > STEPS_MAX) {
        return false;
    }
    r->steps++;
    return true;
}

struct node_list node_list(struct reader *r, const yaml_node_t *node)
{
    if (node->type != YAML_SEQUENCE_NODE) {
        return (struct node_list){.reader = r, .alone = node, .count = 1};
    }
    const yaml_node_item_t *start = node->data.sequence.items.start;
    const yaml_node_item_t *end = node->data.sequence.items.top;
    return (struct node_list){
        .reader = r, .next = start, .end = end, .count = (size_t)(end - start)};
}

const yaml_node_t *node_next(struct node_list *list)
{
    const yaml_node_t *node = list->alone;
    list->alone = NULL;
    if (!node && list->next < list->end) {
        node = yaml_document_get_node(list->reader->document, *list->next++);
    }
    return node && may_step(list->reader, node) ? node : NULL;
}

bool node_map(struct reader *r, const yaml_node_t *node, const char *expected, struct node_map *map)
{
    if (node->type != YAML_MAPPING_NODE) {
        node_wrong(r, node, "expected %s", expected);
        return false;
    }
    *map = (struct node_map){.reader = r,
                             .first = node->data.mapping.pairs.start,
                             .next = node->data.mapping.pairs.start,
                             .end = node->data.mapping.pairs.top};
    return true;
}

struct str key_text(const yaml_node_t *key)
{
    return scalar(key);
}

static const yaml_node_t *key_of(const struct node_map *map, const yaml_node_pair_t *pair)
{
    return yaml_document_get_node(map->reader->document, pair->key);
}

static const yaml_node_t *earlier_twin(const struct node_map *map, const yaml_node_pair_t *pair)
{
    const yaml_node_t *key = key_of(map, pair);
    for (const yaml_node_pair_t *p = map->first; p < pair; p++) {
        const yaml_node_t *other = key_of(map, p);
        if (other->type == YAML_SCALAR_NODE && str_eq(scalar(other), scalar(key))) {
            return other;
        }
    }
    return NULL;
}

bool node_map_next(struct node_map *map, const yaml_node_t **key, const yaml_node_t **value)
{
    struct reader *r = map->reader;
    while (map->next < map->end) {
        const yaml_node_pair_t *pair = map->next++;
        const yaml_node_t *found = key_of(map, pair);
        if (!may_step(r, found)) {
            return false;
        }
        if (found->type != YAML_SCALAR_NODE) {
            node_wrong(r, found, "a key must be a word");
            continue;
        }
        const yaml_node_t *twin = earlier_twin(map, pair);
        if (twin) {
            node_wrong(r, found, "\"%.*s\" stands here a second time (first in line %zu)",
                       STR_ARG(str_head(scalar(found), SHOWN_MAX)), twin->start_mark.line + 1);
            continue;
        }
        *key = found;
        *value = yaml_document_get_node(r->document, pair->value);
        return true;
    }
    return false;
}

static void unknown_key(struct reader *r, const yaml_node_t *node, const struct key *keys)
{
    const char *names[KEYS_MAX + 1];
    size_t count = 0;
    for (; count < KEYS_MAX && keys[count].name; count++) {
        names[count] = keys[count].name;
    }
    names[count] = NULL;
    struct str text = str_head(scalar(node), SHOWN_MAX);
    const char *near = nearest_word(text, names);
    if (near) {
        node_wrong(r, node, "unknown key \"%.*s\"; did you mean \"%s\"?", STR_ARG(text), near);
        return;
    }
    struct buf known = {0};
    for (size_t i = 0; i < count; i++) {
        buf_add(&known, i > 0 ? STR(", ") : STR(""));
        buf_add(&known, str_from_cstr(names[i]));
    }
    node_wrong(r, node, "unknown key \"%.*s\"; known here: %.*s", STR_ARG(text),
               STR_ARG(buf_str(&known)));
    buf_done(&known);
}

void read_keys(struct reader *r, const yaml_node_t *node, const struct key *keys, void *into)
{
    struct node_map map;
    const yaml_node_t *name;
    const yaml_node_t *value;
    if (node_is_null(node) || !node_map(r, node, "keys and their values", &map)) {
        return;
    }
    while (node_map_next(&map, &name, &value)) {
        const struct key *key = keys;
        while (key->name && !str_eq(scalar(name), str_from_cstr(key->name))) {
            key++;
        }
        if (!key->name) {
            unknown_key(r, name, keys);
        } else if (!node_is_null(value)) {
            key->read(r, value, key, (char *)into + key->offset);
        }
    }
}

void read_section(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    read_keys(r, value, key->inside, into);
}

void read_choice(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    struct buf all = {0};
    struct str text = {0};
    for (size_t i = 0; key->words[i]; i++) {
        buf_add_format(&all, i > 0 ? " or %s" : "%s", key->words[i]);
    }
    buf_put_u8(&all, 0);
    if (!all.failed && node_text(r, value, all.ptr, &text)) {
        size_t i = 0;
        while (key->words[i] && !str_eq_nocase(text, str_from_cstr(key->words[i]))) {
            i++;
        }
        if (key->words[i]) {
            *(int *)into = (int)i;
        } else {
            node_wrong(r, value, "expected %s, not \"%.*s\"", all.ptr,
                       STR_ARG(str_head(text, SHOWN_MAX)));
        }
    }
    buf_done(&all);
}

void read_size(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    struct str text;
    uint64_t size;
    if (!node_text(r, value, "a size like 50MiB", &text)) {
        return;
    }
    if (!text_size(text, &size) || size < key->least) {
        node_wrong(r, value, "expected a size like 50MiB, at least %llu octets, not \"%.*s\"",
                   (unsigned long long)key->least, STR_ARG(str_head(text, SHOWN_MAX)));
        return;
    }
    *(uint64_t *)into = size;
}

static bool read_number(struct reader *r, const yaml_node_t *value, const struct key *key,
                        uint64_t *number)
{
    struct str text;
    uint64_t most = key->most ? key->most : UINT32_MAX;
    if (!node_text(r, value, "a number", &text)) {
        return false;
    }
    if (!str_to_u64(text, most, number) || *number < key->least) {
        node_wrong(r, value, "expected a number from %llu to %llu, not \"%.*s\"",
                   (unsigned long long)key->least, (unsigned long long)most,
                   STR_ARG(str_head(text, SHOWN_MAX)));
        return false;
    }
    return true;
}

void read_count(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    uint64_t number;
    if (read_number(r, value, key, &number)) {
        *(uint32_t *)into = (uint32_t)number;
    }
}

void read_port(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    struct key bounded = *key;
    uint64_t number;
    bounded.least = 1;
    bounded.most = UINT16_MAX;
    if (read_number(r, value, &bounded, &number)) {
        *(uint16_t *)into = (uint16_t)number;
    }
}

void read_span(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    struct str text;
    struct span span;
    if (!node_text(r, value, "a time like 5m or 1h30m", &text)) {
        return;
    }
    if (!text_span(text, &span) || span.us < (int64_t)key->least) {
        node_wrong(r, value, "expected a time like 5m or 1h30m%s, not \"%.*s\"",
                   key->least ? " (not zero)" : "", STR_ARG(str_head(text, SHOWN_MAX)));
        return;
    }
    *(struct span *)into = span;
}

void read_file_name(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    (void)key;
    (void)!node_file(r, value, "a file's path", into);
}
