/* load.h: a configuration file (YAML) to a struct config. All that is wrong is told at once, each
 * problem with its line and column and, for a key that nobody knows, the nearest that is known. */
#pragma once

#include "config/config.h"
#include "config/problems.h"

enum { CONFIG_FILE_MAX = 1 << 20 };

struct config_source {
    struct str file;     /* its name, for the problems; absolute, so that names in it can be
                            relative to its folder */
    struct str text;     /* what stands in it */
    struct str hostname; /* for where the file gives none */
    bool text_only;      /* read no other files (users, aliases) */
};

/* 0, and a configuration of which the caller is the holder; or -EINVAL with at least one error in
 * `problems`, or -ENOMEM. Warnings may come with success. Blocks: reads alias and user files. */
NODISCARD int config_load(const struct config_source *source, struct config **config,
                          struct config_problems *problems);
