/* servants.h: the processes that the supervisor starts when the worker asks for one: they run
 * programs, deliver, sign, and find out who users are. They are replaced when they die or hang; one
 * that dies soon after each start is started at growing intervals. */
#pragma once

#include "port/log.h"

#include <stdint.h>
#include <sys/types.h>

enum servant_role {
    SERVANT_RUNNER,  /* runs programs; each asker has one of its own */
    SERVANT_POSTMAN, /* delivers to system users; likewise */
    SERVANT_KEYS,    /* signs for certificates */
    SERVANT_DKIM,    /* signs mail */
    SERVANT_LOGIN,   /* finds out who users are */
    SERVANT_ROLES,
};

enum { SERVANTS_MAX = 32 };

struct servant {
    pid_t process; /* 0: none */
    enum servant_role role;
    int64_t started_at; /* monotonic */
};

/* The one of a role that all sockets go to: they come through its door. */
struct servant_door {
    int end;       /* -1: none */
    pid_t process; /* 0: none */
};

struct servants {
    struct log *log;
    char *const *arguments[SERVANT_ROLES]; /* each ended by null */
    struct servant all[SERVANTS_MAX];      /* an old one may be at its last work */
    struct servant_door doors[SERVANT_ROLES];
    struct servant_door
        next_keys; /* is to take the place of the one that signs, once it has read */
    struct {
        unsigned failures; /* in a row, soon after the start */
        int64_t next_at;   /* monotonic: none is started before */
    } trials[SERVANT_ROLES];
};

/* For zeroed memory with `log` and `arguments`. */
void servants_init(struct servants *s);
/* A socket to one (a new one, where each asker has its own), the caller's to close, or -errno;
 * -EAGAIN: not yet, the last ones died at once. Never blocks. `stuck`: the one that is there has
 * given no answer; it is killed and replaced, unless it is new. */
NODISCARD int servants_get(struct servants *s, enum servant_role role, bool stuck);
/* Who asks next gets a new one; the old one ends when nobody holds a socket to it. */
void servants_renew(struct servants *s, enum servant_role role);
/* Another one that signs for certificates reads the keys anew: what comes of it is to be read at
 * next_keys.end. 0 or -errno. */
NODISCARD int servants_read_keys(struct servants *s);
/* Whether it has read them and found them right; it has then taken the other's place. */
NODISCARD bool servants_keys_read(struct servants *s);
/* A process has ended; one that is no servant is passed over. */
void servants_ended(struct servants *s, pid_t process, int status);
void servants_close(struct servants *s);

/* In a new process: becomes the program that runs now, with those arguments and its end of the
 * channel. The supervisor's signals stay blocked until it watches them itself: none is lost, and
 * none ends it half started. */
_Noreturn void servant_become(char *const *arguments, int channel);
