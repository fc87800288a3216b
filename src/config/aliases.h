/* aliases.h: a domain's alias file, in the format of aliases(5):
 *
 *     name: target, target,
 *         target on a line that begins with a blank
 *
 * A line whose first visible character is "#" is a comment. A name is "local" or "local@domain",
 * case does not count; "@domain" with one address is the domain's catch-all. Entries for other
 * domains than this one are kept but never match, so that domains can share a file.
 *
 * A target is an address ("local", "local@domain", "<address>", "Name <address>"; "\local" is the
 * mailbox itself), a file "/path" (a Maildir where it ends in "/"), a program "|/path argument …"
 * (split at spaces, no shell), or ":include:/path". Quotes around the whole hold it together.
 *
 * Files of :include: are lists of addresses, one or several a line, with the same comments; they
 * may include others, to a depth of 8. They often belong to ordinary users: no file or program can
 * be named there. */
#pragma once

#include "config/config.h"
#include "config/problems.h"

enum {
    ALIASES_FILE_MAX = 16 << 20,     /* octets of one file */
    ALIASES_INCLUDED_MAX = 64 << 20, /* octets of all the files laid in */
    ALIASES_DEPTH_MAX = 8,
    ALIASES_TARGETS_MAX = 1000000, /* in all */
};

/* Appends the file `path` (absolute) to `out`: 0 or -errno, as file_read(). */
struct aliases_reader {
    int (*read)(struct aliases_reader *reader, struct str path, struct buf *out);
};

struct aliases_input {
    struct str file_name; /* for the problems; borrowed for the call */
    struct str text;      /* borrowed for the call */
    struct aliases_reader *reader;
};

/* Reads the file, which is named at that place, and sets `domain->aliases`, sorted by name, and
 * `domain->catch_all` where the file has one for this domain (whose `name` must be set). Every
 * problem is reported with its place; with one that is no warning the domain is not to be used. */
void aliases_load(struct str path, struct config_place at, struct arena *arena,
                  struct config_domain *domain, struct config_problems *problems);
/* The same from memory: no disk but by the reader. */
void aliases_parse(const struct aliases_input *input, struct arena *arena,
                   struct config_domain *domain, struct config_problems *problems);
