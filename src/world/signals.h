/* signals.h: signals as events of a loop. */
#pragma once

#include "world/loop.h"

struct signal_watch {
    void (*arrived)(struct signal_watch *watch);
    int number; /* SIGHUP, SIGTERM, …; one watch a number */
    void *owner;
    void *impl;
};

/* Where it was blocked it comes now, to this thread. 0 or -errno. The caller keeps the watch until
 * signal_watch_stop(). On the loop's thread. */
NODISCARD int signal_watch_start(struct loop *loop, struct signal_watch *watch);

/* From here on the process ignores that signal. Fine if not started; before loop_free(). */
void signal_watch_stop(struct signal_watch *watch);
