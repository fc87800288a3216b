#include "postman/person.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

int person_find(struct str name, const struct config *config, struct person *person)
{
    char text[256];
    if (name.len == 0 || name.len >= sizeof text || str_has_control(name) ||
        str_find(name, '/') != STR_NONE || str_find(name, ':') != STR_NONE) {
        return EX_NOUSER;
    }
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    errno = 0;
    const struct passwd *entry = getpwnam(text);
    if (!entry) {
        bool unknown = errno == 0 || errno == ENOENT || errno == ESRCH;
        return unknown ? EX_NOUSER : EX_TEMPFAIL;
    }
    if (entry->pw_uid == 0 || entry->pw_uid < config->deliver.uid_min || entry->pw_dir[0] != '/') {
        return EX_NOUSER;
    }
    *person = (struct person){.name = str_from_cstr(entry->pw_name),
                              .home = str_from_cstr(entry->pw_dir),
                              .shell = str_from_cstr(entry->pw_shell),
                              .user = entry->pw_uid,
                              .group = entry->pw_gid};
    return EX_OK;
}

/* Only in a folder of root's: there nobody but root and its group can have laid a trap, and what is
 * there already is left alone. */
void person_make_mailbox(const struct person *person, const char *path)
{
    const char *name = strrchr(path, '/');
    char folder[256];
    size_t len = (size_t)(name - path);
    if (len == 0 || len >= sizeof folder) {
        return;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    struct stat st;
    int at = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (at >= 0 && fstat(at, &st) == 0 && st.st_uid == 0 && !(st.st_mode & S_IWOTH)) {
        int file = openat(at, name + 1, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (file >= 0) {
            if (fchown(file, person->user, person->group) != 0 || fsync(at) != 0) {
                (void)unlinkat(at, name + 1, 0);
            }
            close(file);
        }
    }
    if (at >= 0) {
        close(at);
    }
}

bool person_become(const struct person *person)
{
    umask(077);
    if (initgroups(person->name.ptr, person->group) != 0 ||
        setresgid(person->group, person->group, person->group) != 0 ||
        setresuid(person->user, person->user, person->user) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0) {
        return false;
    }
    if (person->user == 0 || setuid(0) == 0 || geteuid() != person->user ||
        getegid() != person->group) {
        return false;
    }
    return chdir(person->home.ptr) == 0 || chdir("/") == 0;
}

bool person_may_run_programs(const struct person *person)
{
    bool found = false;
    setusershell();
    for (const char *shell; !found && (shell = getusershell());) {
        found = str_eq(str_from_cstr(shell), person->shell);
    }
    endusershell();
    return found;
}
