#include "cli/serve_fence.h"

#include "fence/trial.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static const struct str usual_user = STR_INIT("postrider");

/* What libraries read while the server runs: names, services, certificates of authorities, the time
 * zone, chance, and what the system says of its processors and memory. */
static const char *const system_files[] = {
    "/etc/ssl",
    "/etc/ca-certificates",
    "/etc/pki",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/localtime",
    "/etc/passwd",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/unbound",
    "/etc/ldap",
    "/usr",
    "/lib",
    "/lib64",
    "/run/systemd/resolve",
    "/proc/self",
    "/proc/meminfo",
    "/proc/cpuinfo",
    "/proc/stat",
    "/proc/sys/kernel",
    "/proc/sys/vm",
    "/sys/fs/cgroup",
    "/sys/devices/system/cpu",
    "/dev/urandom",
    "/dev/random",
};

static void add(struct serve_fence *fence, struct str path, enum fence_access access)
{
    enum { MORE = 64 };
    if (fence->count == fence->room) {
        struct fence_path *more =
            arena_array(&fence->arena, fence->room + MORE, sizeof *fence->paths);
        if (!more) {
            fence->failed = true;
            return;
        }
        for (size_t i = 0; i < fence->count; i++) {
            more[i] = fence->paths[i];
        }
        fence->paths = more;
        fence->room += MORE;
    }
    struct str kept = arena_copy(&fence->arena, path);
    fence->failed = fence->failed || !kept.ptr;
    fence->paths[fence->count++] = (struct fence_path){.path = kept, .access = access};
}

/* The folder, because files are replaced by others of their name. */
static void add_folder_of(struct serve_fence *fence, struct str path, enum fence_access access)
{
    size_t slash = str_rfind(path, '/');
    if (slash != STR_NONE) {
        add(fence, slash == 0 ? STR("/") : str_head(path, slash), access);
    }
}

static void add_folders_of(struct serve_fence *fence, const struct config_file *files)
{
    for (const struct config_file *file = files; file; file = file->next) {
        add_folder_of(fence, file->path, FENCE_READ);
    }
}

static bool is_of_certificates(const struct config *config, struct str path)
{
    for (size_t i = 0; i < config->certificate_count; i++) {
        const struct config_certificate *pair = &config->certificates[i];
        if (str_eq(pair->chain, path) || str_eq(pair->key, path)) {
            return true;
        }
    }
    return false;
}

/* Where the file itself is, to which links lead: often in a folder beside, as an archive's. */
static void add_target_of(struct serve_fence *fence, struct str path)
{
    char target[PATH_MAX];
    if (realpath(path.ptr, target)) {
        add_folder_of(fence, str_from_cstr(target), FENCE_READ);
    }
}

/* Certificates only where their keys are the worker's own: else it gets them from the key process.
 */
static void add_configured(struct serve_fence *fence, const struct config *config)
{
    for (const struct config_file *file = config->files; file; file = file->next) {
        bool certificates = is_of_certificates(config, file->path);
        if (!certificates || config->tls_keys != TLS_KEYS_APART) {
            add_folder_of(fence, file->path, FENCE_READ);
        }
        if (certificates && config->tls_keys != TLS_KEYS_APART) {
            add_target_of(fence, file->path);
        }
    }
}

/* The folder in which the first part is that an address decides on. */
static void add_store(struct serve_fence *fence, const struct config_mailboxes *mailboxes)
{
    if (mailboxes->kind != MAILBOX_MAILDIR && mailboxes->kind != MAILBOX_MBOX) {
        return;
    }
    size_t brace = str_find(mailboxes->path, '{');
    struct str fixed = brace == STR_NONE ? mailboxes->path : str_head(mailboxes->path, brace);
    add_folder_of(fence, fixed, FENCE_WRITE);
}

static void add_alias_targets(struct serve_fence *fence, const struct config_domain *domain)
{
    for (size_t i = 0; i < domain->alias_count; i++) {
        const struct alias *alias = &domain->aliases[i];
        for (size_t j = 0; j < alias->target_count; j++) {
            if (alias->targets[j].kind == ALIAS_FILE) {
                add_folder_of(fence, str_trim(alias->targets[j].text), FENCE_WRITE);
            }
        }
    }
}

void serve_fence_plan(struct serve_fence *fence, const struct options_config *source,
                      const struct config *config)
{
    *fence = (struct serve_fence){0};
    add(fence, config->spool_path, FENCE_WRITE);
    for (size_t i = 0; i < config->domain_count; i++) {
        add_store(fence, &config->domains[i].mailboxes);
        add_alias_targets(fence, &config->domains[i]);
        add_folders_of(fence, config->domains[i].alias_files);
    }
    add(fence, STR("/dev/null"), FENCE_WRITE);
    add_folder_of(fence, source->file, FENCE_READ);
    add_configured(fence, config);
    for (size_t i = 0; i < ARRAY_LEN(system_files); i++) {
        add(fence, str_from_cstr(system_files[i]), FENCE_READ);
    }
}

int serve_user(const struct config *config, struct fence_user *user)
{
    struct str rest = config->user;
    struct str name = str_split(&rest, ':');
    char text[256], group[256];
    *user = (struct fence_user){0};
    if (geteuid() != 0) {
        return 0;
    }
    (void)snprintf(text, sizeof text, "%.*s", STR_ARG(name.len > 0 ? name : usual_user));
    (void)snprintf(group, sizeof group, "%.*s", STR_ARG(rest));
    const struct passwd *found = getpwnam(text);
    if (!found) {
        if (name.len > 0) {
            (void)fprintf(stderr, "postrider: cannot start: there is no user \"%s\"\n", text);
        }
        return name.len > 0 ? EX_NOUSER : 0;
    }
    user->user = found->pw_uid;
    user->group = found->pw_gid;
    user->name = name.len > 0 ? name : usual_user;
    const struct group *other = rest.len > 0 ? getgrnam(group) : NULL;
    if (rest.len > 0 && !other) {
        (void)fprintf(stderr, "postrider: cannot start: there is no group \"%s\"\n", group);
        return EX_NOUSER;
    }
    if (other) {
        user->group = other->gr_gid;
    }
    return 0;
}

/* Those above it too; what is made is the user's. A failure shows where the folder is used. */
static void make_folder(const char *path, const struct fence_user *user)
{
    char name[4096];
    (void)snprintf(name, sizeof name, "%s", path);
    for (size_t i = 1;; i++) {
        char here = name[i];
        if (here != '/' && here != '\0') {
            continue;
        }
        name[i] = '\0';
        if (mkdir(name, 0700) == 0 && user->name.len > 0) {
            (void)!chown(name, user->user, user->group);
        }
        if (here == '\0') {
            return;
        }
        name[i] = here;
    }
}

static void tell(struct log *log, const struct fence_user *user, const struct fence_report *report)
{
    bool root = user->name.len == 0 && geteuid() == 0;
    bool whole = !root && report->landlock > 0 && report->syscalls;
    log_event(log, whole ? LOG_INFO : LOG_WARNING, "fenced", F_INT("user", geteuid()),
              F_STR("no_new_privs", report->no_new_privileges ? STR("yes") : STR("no")),
              F_INT("landlock", report->landlock),
              F_STR("seccomp", report->syscalls ? STR("yes") : STR("no")),
              F_STR("lacks", root                    ? STR("a user of its own: set `user:`")
                             : report->landlock == 0 ? STR("Landlock, which this kernel has not")
                             : !report->syscalls     ? STR("seccomp, which this kernel has not")
                                                     : STR("")));
}

int serve_fence_enter(struct serve_fence *fence, const struct fence_user *user, struct log *log)
{
    struct fence_report report;
    const char *failed = NULL;
    if (fence->failed) {
        return EX_OSERR;
    }
    for (size_t i = 0; i < fence->count; i++) {
        if (fence->paths[i].access == FENCE_WRITE) {
            make_folder(fence->paths[i].path.ptr, user);
        }
    }
    struct fence whole = {.user = *user, .paths = fence->paths, .path_count = fence->count};
    int error = fence_enter(&whole, &report, &failed);
    if (error) {
        (void)fprintf(stderr, "postrider: cannot start: the fence (%s): %s\n", failed,
                      strerror(-error));
        return EX_OSERR;
    }
    tell(log, user, &report);
    return 0;
}

static bool covers(const struct fence_path *wide, const struct fence_path *wanted)
{
    if (wide->access < wanted->access || !str_starts(wanted->path, wide->path)) {
        return false;
    }
    return wide->path.len == wanted->path.len || str_ends(wide->path, STR("/")) ||
           wanted->path.ptr[wide->path.len] == '/';
}

bool serve_fence_covers(const struct serve_fence *fence, const struct serve_fence *wanted)
{
    bool all = !wanted->failed;
    for (size_t i = 0; i < wanted->count && all; i++) {
        bool found = false;
        for (size_t j = 0; j < fence->count && !found; j++) {
            found = covers(&fence->paths[j], &wanted->paths[i]);
        }
        all = found;
    }
    return all;
}

#ifdef POSTRIDER_FENCE_TRIAL
void serve_fence_trial(struct log *log, bool before)
{
    const char *outside = getenv("POSTRIDER_FENCE_TRIAL");
    if (outside && before == (getenv("POSTRIDER_FENCE_TRIAL_BEFORE") != NULL)) {
        fence_trial(log, str_from_cstr(outside), before);
    }
}
#else
void serve_fence_trial(struct log *log, bool before)
{
    (void)log;
    (void)before;
}
#endif

void serve_fence_done(struct serve_fence *fence)
{
    arena_done(&fence->arena);
    *fence = (struct serve_fence){0};
}
