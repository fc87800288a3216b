/* reader.h: the walk through a parsed YAML document, for this folder alone: nodes, their places,
 * their scalars, and tables of keys. */
#pragma once

#include "config/load.h"

#include <yaml.h>

struct reader {
    yaml_document_t *document;
    struct config *config;
    struct config_problems *problems;
    const struct config_source *source;
    size_t steps; /* nodes looked at: bounds what anchors multiply */
};

struct config_place node_place(const struct reader *r, const yaml_node_t *node);
/* An error at a node. */
void node_wrong(struct reader *r, const yaml_node_t *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

bool node_is_null(const yaml_node_t *node); /* "key:" with nothing, "~", "null" */
/* The text of a scalar; false, with the error told, for a list or map. `expected` in words. */
NODISCARD bool node_text(struct reader *r, const yaml_node_t *node, const char *expected,
                         struct str *text);
/* The same, in the configuration's arena. */
NODISCARD bool node_copy(struct reader *r, const yaml_node_t *node, const char *expected,
                         struct str *text);
/* A file's name, made absolute: relative ones are in the configuration file's folder. */
NODISCARD bool node_file(struct reader *r, const yaml_node_t *node, const char *expected,
                         struct str *path);
struct str absolute_path(struct reader *r, struct str path);

/* The items of a list; a lone scalar or map counts as a list of one. */
struct node_list {
    struct reader *reader;
    const yaml_node_t *alone;
    const yaml_node_item_t *next, *end;
    size_t count; /* how many there are, for arrays */
};
struct node_list node_list(struct reader *r, const yaml_node_t *node);
const yaml_node_t *node_next(struct node_list *list); /* null at the end */

/* The pairs of a map. False, with the error told, where it is none. */
struct node_map {
    struct reader *reader;
    const yaml_node_pair_t *first, *next, *end;
};
NODISCARD bool node_map(struct reader *r, const yaml_node_t *node, const char *expected,
                        struct node_map *map);
/* The next pair whose key is a scalar that was not there before; others are told as errors. */
NODISCARD bool node_map_next(struct node_map *map, const yaml_node_t **key,
                             const yaml_node_t **value);
struct str key_text(const yaml_node_t *key);

/* A key of a map: how its value is read, and into which field. */
struct key {
    const char *name;
    void (*read)(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);
    size_t offset;            /* of the field in the struct that the map is read into */
    const struct key *inside; /* read_section: the keys of the map */
    const char *const *words; /* read_choice: the words, null at the end; the value is the index */
    uint64_t least, most;     /* read_count, read_size */
};
/* Reads a map by its table, which ends with a key without a name. */
void read_keys(struct reader *r, const yaml_node_t *node, const struct key *keys, void *into);

void read_section(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);
void read_choice(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);
void read_size(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);
void read_count(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);
void read_port(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);
void read_span(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);
void read_file_name(struct reader *r, const yaml_node_t *value, const struct key *key, void *into);

/* Of `words` (null at the end) the one most like `text`, or null where none is near. */
const char *nearest_word(struct str text, const char *const *words);
