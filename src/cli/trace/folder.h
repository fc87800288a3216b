/* folder.h: the files of a Maildir (those in cur and new), or of any other folder, by name. */
#pragma once

#include "cli/trace/source.h"

/* Fills in the source's `files`. Hidden files are none. 0 or -errno. */
NODISCARD int folder_list(struct source *s);
