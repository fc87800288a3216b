#include "cli/options.h"

#include "config/defaults.h"
#include "config/file.h"
#include "world/system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char standard_file[] = "/etc/postrider/postrider.yaml";
static const char sandbox_folder[] = "postrider-data";

static struct str absolute(struct arena *arena, const char *path)
{
    char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);
    if (!here) {
        return arena_copy(arena, str_from_cstr(path));
    }
    while (strncmp(path, "./", 2) == 0) {
        path += 2;
    }
    struct str whole = arena_format(arena, "%s/%s", strcmp(here, "/") == 0 ? "" : here, path);
    free(here);
    return whole;
}

void options_find(struct options_config *source, const char *file)
{
    *source = (struct options_config){0};
    if (!file && access(standard_file, F_OK) == 0) {
        file = standard_file;
    }
    if (file) {
        source->file = absolute(&source->arena, file);
    }
    source->data_folder = absolute(&source->arena, sandbox_folder);
}

static int load_file(struct options_config *source, struct config **config,
                     struct config_problems *problems)
{
    struct buf text = {0};
    struct buf hostname = {0};
    int result = file_read(source->file, CONFIG_FILE_MAX, &text);
    if (result != 0) {
        config_problem(problems, false, (struct config_place){.file = source->file},
                       "cannot be read: %s", strerror(-result));
    } else {
        system_hostname(&hostname);
        struct config_source from = {
            .file = source->file, .text = buf_str(&text), .hostname = buf_str(&hostname)};
        result = config_load(&from, config, problems);
    }
    buf_done(&text);
    buf_done(&hostname);
    return result;
}

int options_load(struct options_config *source, struct config **config,
                 struct config_problems *problems)
{
    if (source->file.len > 0) {
        return load_file(source, config, problems);
    }
    struct buf hostname = {0};
    system_hostname(&hostname);
    *config = config_sandbox(source->data_folder, buf_str(&hostname));
    buf_done(&hostname);
    if (!*config) {
        config_problem(problems, false, (struct config_place){0}, "not enough memory");
        return -ENOMEM;
    }
    return 0;
}

void options_done(struct options_config *source)
{
    arena_done(&source->arena);
    *source = (struct options_config){0};
}

struct config *options_config(struct options_config *source, const char *file)
{
    struct config_problems problems = {0};
    struct config *config = NULL;
    options_find(source, file);
    if (options_load(source, &config, &problems) != 0) {
        config_problems_print(&problems, stderr);
        config = NULL;
    }
    config_problems_done(&problems);
    return config;
}

bool options_count(const char *text, uint32_t *count)
{
    char *end = NULL;
    unsigned long value = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;
    bool fine = end && *end == '\0' && value >= 1 && value <= 1000000;
    *count = fine ? (uint32_t)value : *count;
    return fine;
}
