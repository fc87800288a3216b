/* person.h: a user of this host, and how a child becomes one. */
#pragma once

#include "config/config.h"

#include <sys/types.h>

struct person {
    struct str name, home, shell; /* in the system's memory, until the next is looked up */
    uid_t user;
    gid_t group;
};

/* EX_OK; EX_NOUSER: none, or one who gets no mail here (root, below uid_min); EX_TEMPFAIL: the
 * system cannot say now. */
NODISCARD int person_find(struct str name, const struct config *config, struct person *person);
/* A mailbox outside of the home, in a folder of root's that the user may not write to
 * (/var/mail): made for the user if it is not there. Before person_become(). */
void person_make_mailbox(const struct person *person, const char *path);
/* For good: groups, user, no_new_privs, umask 077, in the home or else in "/". False: nothing may
 * be done. */
NODISCARD bool person_become(const struct person *person);
/* Whether the shell is one of /etc/shells: who has none runs no programs by mail either. */
bool person_may_run_programs(const struct person *person);
