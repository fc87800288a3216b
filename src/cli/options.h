/* options.h: where a verb finds its configuration: -c FILE, else /etc/postrider/postrider.yaml,
 * else the sandbox's under ./postrider-data. */
#pragma once

#include "config/load.h"

struct options_config {
    struct arena arena;
    struct str file;        /* absolute; empty: the sandbox */
    struct str data_folder; /* the sandbox's; absolute */
};

/* `file` may be null: none was given. */
void options_find(struct options_config *source, const char *file);
/* Loads it, now or again. 0 or -errno with the errors in `problems`. */
NODISCARD int options_load(struct options_config *source, struct config **config,
                           struct config_problems *problems);
void options_done(struct options_config *source);

/* For verbs that only need the configuration: as above, errors printed to standard error. Null:
 * give up with EX_CONFIG. */
struct config *options_config(struct options_config *source, const char *file);

/* A number from 1 to a million, as --limit takes it. */
NODISCARD bool options_count(const char *text, uint32_t *count);
