#include "config/check.h"

#include <pwd.h>
#include <stdlib.h>

enum { NOBODY = 65534, USERS_FIRST = 64 };

struct finding {
    struct config *config;
    struct config_user *users; /* on the heap, while it grows */
    size_t count, room;
    bool no_memory;
};

static int by_local(const void *left, const void *right)
{
    return str_cmp(((const struct config_user *)left)->local,
                   ((const struct config_user *)right)->local);
}

/* Addresses are looked up in lower case, so a name with capitals could not be found again. */
static bool may_have_mail(const struct finding *f, const struct passwd *entry)
{
    for (const char *c = entry->pw_name; *c; c++) {
        if (*c != ascii_lower(*c)) {
            return false;
        }
    }
    return entry->pw_uid >= f->config->deliver.uid_min && entry->pw_uid != NOBODY &&
           entry->pw_name[0] != '\0';
}

static void add(struct finding *f, const struct passwd *entry)
{
    if (f->count == f->room) {
        size_t room = f->room ? f->room * 2 : USERS_FIRST;
        struct config_user *more = realloc(f->users, room * sizeof *more);
        if (!more) {
            f->no_memory = true;
            return;
        }
        f->users = more;
        f->room = room;
    }
    struct str local = arena_copy(&f->config->arena, str_from_cstr(entry->pw_name));
    struct str full = str_from_cstr(entry->pw_gecos ? entry->pw_gecos : "");
    full = str_head(full, str_find(full, ',') == STR_NONE ? full.len : str_find(full, ','));
    f->users[f->count] = (struct config_user){.local = local};
    f->users[f->count++].full_name = full.len > 0 && !str_has_control(full)
                                         ? arena_copy(&f->config->arena, full)
                                         : (struct str){0};
    f->no_memory = f->no_memory || !local.ptr;
}

static bool is_wanting(const struct config_domain *domain)
{
    return domain->mailboxes.kind == MAILBOX_SYSTEM && domain->user_count == 0;
}

void config_find_system_users(struct config *config, struct str file,
                              struct config_problems *problems)
{
    struct finding f = {.config = config};
    const struct config_place place = {.file = file};
    bool wanted = false;
    for (size_t i = 0; i < config->domain_count; i++) {
        const struct config_domain *domain = &config->domains[i];
        wanted = wanted || is_wanting(domain);
        if (domain->mailboxes.kind == MAILBOX_SYSTEM && domain->any_user) {
            config_problem(problems, false, place,
                           "%.*s: system users are those that the system has: leave `users` away, "
                           "or list some of them",
                           STR_ARG(domain->name));
        }
    }
    if (!wanted) {
        return;
    }
    setpwent();
    for (const struct passwd *entry; (entry = getpwent()) && !f.no_memory;) {
        if (may_have_mail(&f, entry)) {
            add(&f, entry);
        }
    }
    endpwent();
    struct config_user *users = arena_array(&config->arena, f.count + 1, sizeof *users);
    if (!users || f.no_memory) {
        config_problem(problems, false, place, "not enough memory for the system's users");
        free(f.users);
        return;
    }
    for (size_t i = 0; i < f.count; i++) {
        users[i] = f.users[i];
    }
    free(f.users);
    qsort(users, f.count, sizeof *users, by_local);
    for (size_t i = 0; i < config->domain_count; i++) {
        if (is_wanting(&config->domains[i])) {
            config->domains[i].users = users;
            config->domains[i].user_count = f.count;
        }
    }
}
