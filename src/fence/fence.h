/* fence.h: what a process gives up before it talks to strangers: its privileges, most of the file
 * system, and the system calls that it has no use for. Whoever takes it over by a fault then has
 * spool and mail store, and nothing else of the machine.
 *
 * Everything here holds for the calling thread and those that it makes later: enter before there is
 * another one. */
#pragma once

#include "core/base/arena.h"

#include <sys/types.h>

enum fence_access {
    FENCE_READ,
    FENCE_WRITE, /* read, write, make and remove; no programs, no devices */
};

struct fence_path {
    struct str path; /* a folder with all below it, or a file; NUL-terminated */
    enum fence_access access;
};

/* Who the process is to be. */
struct fence_user {
    uid_t user;
    gid_t group;
    struct str name; /* for its supplementary groups; empty: the process stays who it is */
};

struct fence {
    struct fence_user user;
    const struct fence_path *paths; /* what does not exist is left out */
    size_t path_count;
    bool hides_memory; /* nobody of its user looks into it, nor does a crash write it to a file */
};

/* What was had of it, for the log. */
struct fence_report {
    bool no_new_privileges;
    bool capabilities; /* none is left */
    int landlock;      /* the kernel's version of it; 0: it has none */
    bool syscalls;
};

/* 0, or -errno with `*failed` the step that failed; the process is then half fenced, and must end.
 * That the kernel lacks Landlock or seccomp is no failure: the report says so. */
NODISCARD int fence_enter(const struct fence *fence, struct fence_report *report,
                          const char **failed);

/* The parts, in the order in which fence_enter() uses them; 0 or -errno. */
NODISCARD int fence_become(const struct fence_user *user); /* and drop all capabilities */
NODISCARD int fence_paths(const struct fence_path *paths, size_t count, int *version);
NODISCARD int fence_syscalls(bool *had);

/* What the kernel has. */
int fence_landlock_version(void); /* 0: none, or switched off */
bool fence_filters_syscalls(void);
