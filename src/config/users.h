/* users.h: the file of a domain's users, one a line: "local" or "local: Full Name". Lines that
 * begin with "#" are comments. Local parts that are no dot-atom are quoted, as in addresses. */
#pragma once

#include "config/config.h"
#include "config/problems.h"

enum { USERS_FILE_MAX = 64 << 20 };

/* Reads the file, which is named at that place, and sets `domain->users`: in lower case, unquoted,
 * sorted. Every problem is reported with its place; the domain is then not to be used. */
void users_load(struct str path, struct config_place at, struct arena *arena,
                struct config_domain *domain, struct config_problems *problems);
/* The same from a text in memory. `file_name` (for the problems) is borrowed for the call. */
void users_parse(struct str file_name, struct str text, struct arena *arena,
                 struct config_domain *domain, struct config_problems *problems);
