#include "config/load.h"

#include "config/check.h"
#include "config/complete.h"
#include "config/defaults.h"
#include "config/schema.h"

#include <errno.h>
#include <limits.h>

static struct config_place place_at(const struct config_source *source, size_t offset)
{
    struct config_place place = {source->file, 1, 1};
    for (size_t i = 0; i < offset && i < source->text.len; i++) {
        bool ends = source->text.ptr[i] == '\n';
        place.line += ends;
        place.column = ends ? 1 : place.column + 1;
    }
    return place;
}

static void yaml_wrong(const yaml_parser_t *parser, const struct config_source *source,
                       struct config_problems *problems)
{
    struct config_place place = {source->file, (uint32_t)parser->problem_mark.line + 1,
                                 (uint32_t)parser->problem_mark.column + 1};
    if (parser->error == YAML_READER_ERROR) { /* no mark, but how far it came */
        place = place_at(source, parser->problem_offset);
    }
    const char *problem = parser->problem ? parser->problem : "not enough memory";
    const char *where = parser->context ? parser->context : "";
    config_problem(problems, false, place, "this is no YAML: %s%s%s", problem, *where ? " " : "",
                   where);
}

/* One document, no more: a second would silently do nothing. */
static bool only_document(yaml_parser_t *parser, const struct config_source *source,
                          struct config_problems *problems)
{
    yaml_document_t second;
    if (!yaml_parser_load(parser, &second)) {
        yaml_wrong(parser, source, problems);
        return false;
    }
    const yaml_node_t *root = yaml_document_get_root_node(&second);
    if (root) {
        struct config_place place = {source->file, (uint32_t)root->start_mark.line + 1, 1};
        config_problem(problems, false, place, "a second document begins here; one is allowed");
    }
    yaml_document_delete(&second);
    return root == NULL;
}

static void read_document(yaml_document_t *document, const struct config_source *source,
                          struct config *config, struct config_problems *problems)
{
    struct reader reader = {
        .document = document, .config = config, .problems = problems, .source = source};
    const yaml_node_t *root = yaml_document_get_root_node(document);
    if (root) {
        read_keys(&reader, root, config_keys, config);
    }
    if (config->hostname.len == 0) {
        config->hostname = arena_copy(&config->arena, source->hostname);
    }
    if (problems->errors == 0 && !source->text_only) {
        config_find_system_users(config, source->file, problems);
    }
    if (problems->errors == 0 && !config_set_completion(config)) {
        config_problem(problems, false, (struct config_place){0}, "not enough memory");
    }
    if (problems->errors == 0) {
        config_check(config, source->file, problems);
    }
}

int config_load(const struct config_source *source, struct config **config,
                struct config_problems *problems)
{
    yaml_parser_t parser;
    yaml_document_t document;
    size_t errors = problems->errors;
    struct config *fresh = config_new();
    if (!fresh || !yaml_parser_initialize(&parser)) {
        config_problem(problems, false, (struct config_place){0}, "not enough memory");
        config_drop(fresh);
        return -ENOMEM;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)source->text.ptr,
                                 source->text.len);
    if (!yaml_parser_load(&parser, &document)) {
        yaml_wrong(&parser, source, problems);
    } else {
        if (!yaml_document_get_root_node(&document) || only_document(&parser, source, problems)) {
            read_document(&document, source, fresh, problems);
        }
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    if (problems->errors > errors) {
        config_drop(fresh);
        return -EINVAL;
    }
    *config = fresh;
    return 0;
}
