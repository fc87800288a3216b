/* box.h: the user's mailboxes and programs, by the user. Each returns a code of sysexits.h and
 * appends words to `says`. */
#pragma once

#include "core/base/arena.h"
#include "postman/letter.h"
#include "postman/person.h"

/* A Maildir, "/" at its end; made where it is not there. Durable before it returns EX_OK. */
NODISCARD int box_maildir(const struct letter *letter, struct str path, struct str hostname,
                          struct buf *says);
/* An mbox: locked (fcntl, and FILE.lock where the folder lets us), appended, synced; what is not
 * whole is taken back. Only a file of the user's own, and no link. */
NODISCARD int box_mbox(const struct letter *letter, struct str path, struct buf *says);
/* By the shell, with the message as its input; its output is ours where `loud`. */
NODISCARD int box_program(const struct letter *letter, const struct person *person,
                          struct str command, bool loud);
