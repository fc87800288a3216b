#include "fence/fence.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>

int fence_enter(const struct fence *fence, struct fence_report *report, const char **failed)
{
    *report = (struct fence_report){0};
    *failed = "user";
    int error = fence_become(&fence->user);
    if (error) {
        return error;
    }
    report->capabilities = true;
    /* A change of user takes the parent's death signal away, and may change who looks into us. */
    *failed = "memory";
    if (fence->hides_memory && prctl(PR_SET_DUMPABLE, 0) != 0) {
        return -errno;
    }
    *failed = "no_new_privs";
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return -errno;
    }
    report->no_new_privileges = true;
    *failed = "landlock";
    error = fence_paths(fence->paths, fence->path_count, &report->landlock);
    if (error) {
        return error;
    }
    *failed = "seccomp";
    return fence_syscalls(&report->syscalls);
}
