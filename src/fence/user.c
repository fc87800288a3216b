/* user.c: becoming somebody without privileges. */
#include "fence/fence.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <unistd.h>

static int change_ids(const struct fence_user *user)
{
    char name[256];
    if (user->name.len >= sizeof name) {
        return -ENAMETOOLONG;
    }
    for (size_t i = 0; i < user->name.len; i++) {
        name[i] = user->name.ptr[i];
    }
    name[user->name.len] = '\0';
    if (initgroups(name, user->group) != 0 ||
        setresgid(user->group, user->group, user->group) != 0 ||
        setresuid(user->user, user->user, user->user) != 0) {
        return -errno;
    }
    return 0;
}

/* The bounding set can be emptied only by one who may; for others no_new_privs does the same. */
int fence_become(const struct fence_user *user)
{
    capng_clear(CAPNG_SELECT_ALL);
    if (geteuid() == 0) {
        (void)!capng_apply(CAPNG_SELECT_BOUNDS); /* a container may lack CAP_SETPCAP */
    }
    int error = user->name.len > 0 ? change_ids(user) : 0;
    if (error == 0 &&
        (capng_apply(CAPNG_SELECT_AMBIENT) != 0 || capng_apply(CAPNG_SELECT_CAPS) != 0)) {
        error = -EPERM;
    }
    return error;
}
