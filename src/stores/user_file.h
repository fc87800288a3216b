/* user_file.h: who may log in, from a file: a line a user, `NAME VERIFIER…` as verifier.h makes
 * them, `#` begins a comment. Names are compared without regard to ASCII case. Read again when it
 * has changed; safe from any thread. Blocks: not on a loop. */
#pragma once

#include "stores/verifier.h"

struct user_file;

/* Null: no memory. `path` is copied; the file need not be there yet (then it has no users). */
NODISCARD struct user_file *user_file_new(struct str path);
void user_file_free(struct user_file *file); /* null is fine */

/* 0 and the user's line in `line` (to be freed by buf_done), -ENOENT: no such user; another
 * -errno: the file cannot be read. */
NODISCARD int user_file_find(struct user_file *file, struct str name, struct buf *line);

/* The same file, changed as a whole: written beside it, synced, and renamed over it, so that a
 * reader sees the old or the new. For one writer at a time: a lock file would be left by a crash,
 * so the file itself is locked. */
enum user_change { USER_ADD, USER_REPLACE, USER_REMOVE };
/* `fields` as of verifier_make(); unused by REMOVE. 0, -EEXIST, -ENOENT, -EINVAL: not a name
 * (1 to 255 octets without blanks, control characters or `#` in front), or another -errno. */
NODISCARD int user_file_change(const char *path, enum user_change change, struct str name,
                               struct str fields);

/* Calls `each` for every user in the file's order. 0 or -errno. */
NODISCARD int user_file_each(const char *path, void (*each)(struct str name, void *owner),
                             void *owner);
