/* template.h: "{domain}", "{local}", "{user}", "{tag}" and "{sender}" in the paths and arguments by
 * which the configuration names mailboxes, filled in from an address that a stranger chose. */
#pragma once

#include "core/base/arena.h"

struct template_values {
    struct str domain; /* in A-labels, lower case */
    struct str local;  /* the mailbox's name: unquoted, lower case, without tag; {user} too */
    struct str tag;
    struct str sender;
};

/* A value stays within its place: "/", "%", NUL and other control octets, and a leading "." become
 * "%" and two hex digits, an empty value (but an empty tag) "%". So ".." cannot arise, one value
 * cannot be mistaken for two components, and different values give different paths. An empty text
 * with a null pointer: no memory. */
struct str template_path(struct str text, const struct template_values *values,
                         struct arena *arena);
/* The same for a file that is locked by another beside it, FILE.lock: where an address makes the
 * path's end, that is never ".lock" but "%2elock", or a mailbox would be the lock of its neighbour.
 */
struct str template_file(struct str text, const struct template_values *values,
                         struct arena *arena);
/* For one argument of a program: the same, but {sender} stands as it is, and a value that would
 * begin the argument with "-" begins with "%2d", so that it is no option. */
struct str template_argument(struct str text, const struct template_values *values,
                             struct arena *arena);
