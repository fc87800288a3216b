/* An alias file and, after a NUL, the list that every :include: of it lays in. Properties: without
 * an error the names are sorted and there once; files and programs are named by absolute paths
 * without control characters, and never by a list; the catch-all is one address. */
#include "config/aliases.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct laid_in {
    struct aliases_reader reader;
    struct str text;
};

static int read_list(struct aliases_reader *reader, struct str path, struct buf *out)
{
    (void)path;
    buf_add(out, CONTAINER_OF(reader, struct laid_in, reader)->text);
    return 0;
}

static void check_target(struct alias_target target)
{
    if (target.text.len == 0) {
        abort();
    }
    for (size_t i = 0; i < target.text.len; i++) {
        unsigned char c = (unsigned char)target.text.ptr[i];
        /* A quoted local part may hold a tab; nothing may hold what ends a line or a string. */
        if (c == '\0' || c == '\r' || c == '\n' || (c < 0x20 && target.kind != ALIAS_ADDRESS)) {
            abort();
        }
    }
    if (target.kind != ALIAS_ADDRESS && target.text.ptr[0] != '/') {
        abort();
    }
}

static void check(const struct config_domain *domain)
{
    for (size_t i = 0; i < domain->alias_count; i++) {
        const struct alias *alias = &domain->aliases[i];
        if (i > 0 && str_cmp(alias[-1].name, alias->name) >= 0) {
            abort();
        }
        for (size_t k = 0; k < alias->target_count; k++) {
            check_target(alias->targets[k]);
        }
    }
    if (domain->catch_all.len > 0) {
        check_target((struct alias_target){ALIAS_ADDRESS, domain->catch_all});
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str list = str_from((const char *)data, size);
    struct str file = str_split(&list, '\0');
    struct laid_in include = {.reader = {.read = read_list}, .text = list};
    struct aliases_input input = {STR("/aliases"), file, &include.reader};
    struct arena arena = {0};
    struct config_domain domain = {.name = STR("b.example")};
    struct config_problems problems = {0};
    aliases_parse(&input, &arena, &domain, &problems);
    if (problems.errors == 0) {
        check(&domain);
    }
    config_problems_done(&problems);
    arena_done(&arena);
    return 0;
}
