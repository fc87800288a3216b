/* paths.c: the file system as Landlock leaves it (Linux 5.13 and later), by its three system calls:
 * Debian 12 has no library for them. */
#include "fence/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Later than Debian 12's header. */
enum {
    NET_BIND_TCP = 1 << 0,        /* version 4 */
    SCOPE_ABSTRACT_UNIX = 1 << 0, /* version 6 */
    SCOPE_SIGNAL = 1 << 1,
    RULE_NET_PORT = 2,
};
#define FS_TRUNCATE (UINT64_C(1) << 14)  /* version 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* version 5 */

struct ruleset {
    uint64_t files, network, scopes;
};

struct port_rule {
    uint64_t allowed, port;
};

#define READ_FILE LANDLOCK_ACCESS_FS_READ_FILE
#define READ (READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* To rename a thing is to make one: also a link or a FIFO that somebody put into our folders. */
#define WRITE_FILE (READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)
#define WRITE                                                                                      \
    (READ | WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |          \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_FIFO |    \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REFER)
#define EVERYTHING_1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* What this version of Landlock can take away: all of it is taken. */
static struct ruleset handled_by(int version)
{
    struct ruleset all = {.files = EVERYTHING_1};
    all.files |= version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
    all.files |= version >= 3 ? FS_TRUNCATE : 0;
    all.files |= version >= 5 ? FS_IOCTL_DEV : 0;
    all.network = version >= 4 ? NET_BIND_TCP : 0;
    all.scopes = version >= 6 ? SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL : 0;
    return all;
}

static size_t size_for(int version)
{
    return version >= 6 ? sizeof(struct ruleset) : version >= 4 ? 16 : 8;
}

static int allow(int rules, const struct fence_path *path, uint64_t handled)
{
    int at = open(path->path.ptr, O_PATH | O_CLOEXEC);
    struct stat st;
    if (at < 0) {
        return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : -errno;
    }
    int error = fstat(at, &st) == 0 ? 0 : -errno;
    bool folder = error == 0 && S_ISDIR(st.st_mode);
    uint64_t wanted =
        path->access == FENCE_WRITE ? (folder ? WRITE : WRITE_FILE) : (folder ? READ : READ_FILE);
    struct landlock_path_beneath_attr rule = {.allowed_access = wanted & handled, .parent_fd = at};
    if (error == 0 && syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0)) {
        error = -errno;
    }
    close(at);
    return error;
}

/* The way out binds to a source address, whose port the system chooses. */
static int allow_any_source_port(int rules)
{
    struct port_rule rule = {.allowed = NET_BIND_TCP};
    return syscall(SYS_landlock_add_rule, rules, RULE_NET_PORT, &rule, 0) ? -errno : 0;
}

int fence_landlock_version(void)
{
    long have = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return have > 0 ? (int)have : 0; /* ENOSYS, or EOPNOTSUPP where it is switched off */
}

int fence_paths(const struct fence_path *paths, size_t count, int *version)
{
    int have = fence_landlock_version();
    *version = 0;
    if (have == 0) {
        return 0;
    }
    struct ruleset all = handled_by(have);
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, size_for(have), 0);
    if (rules < 0) {
        return -errno;
    }
    int error = all.network ? allow_any_source_port(rules) : 0;
    for (size_t i = 0; i < count && error == 0; i++) {
        error = allow(rules, &paths[i], all.files);
    }
    if (error == 0 && syscall(SYS_landlock_restrict_self, rules, 0) != 0) {
        error = -errno;
    }
    close(rules);
    *version = error == 0 ? have : 0;
    return error;
}
