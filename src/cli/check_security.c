#include "cli/check_security.h"

#include "fence/fence.h"

#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_loopback(struct ip ip)
{
    struct network v4, v6;
    return network_parse(STR("127.0.0.0/8"), &v4) && network_parse(STR("::1"), &v6) &&
           (network_contains(v4, ip) || network_contains(v6, ip));
}

/* That `networks` holds most of the world is an error of the configuration, and told as one. */
static void check_relaying(struct findings *f, const struct config *c)
{
    if (c->relay == RELAY_OPEN && !c->sandbox) {
        finding_add(f, FINDING_OPEN, "relay",
                    "anybody may send to anybody through this server "
                    "(relay: open-relay-i-know)");
    }
    if (c->send_as_any) {
        finding_add(f, FINDING_WEAK, "users",
                    "a user who logs in may write as anybody "
                    "(send_as: any)");
    } else if (c->author_check != AUTHORS_CHECKED && c->store_count > 0) {
        finding_add(f, FINDING_WEAK, "users",
                    "a user who logs in may write in the header that he is anybody "
                    "(send_as_header)");
    }
}

/* What a stolen password is worth. */
static void check_limits(struct findings *f, const struct config *c)
{
    if (c->store_count > 0 && c->user_limits.an_hour.of[ALLOWANCE_RECIPIENTS] == 0) {
        finding_add(f, FINDING_WEAK, "users",
                    "a user who logs in may write to any number of recipients an hour "
                    "(users.limits.recipients: 0)");
    }
    for (size_t i = 0; c->store_count > 0 && i < c->limited_user_count; i++) {
        const struct config_user_limits *own = &c->limited_users[i];
        if (own->an_hour.of[ALLOWANCE_RECIPIENTS] == 0) {
            finding_add(f, FINDING_NOTE, "users",
                        "%.*s may write to any number of recipients an hour (users.limits.for)",
                        STR_ARG(own->user));
        }
    }
}

static void check_listener(struct findings *f, const struct config_listen *l)
{
    struct buf at = {0};
    endpoint_format(&at, l->at);
    if (l->local_path.len > 0) {
        buf_done(&at);
        return;
    }
    bool local = is_loopback(l->at.ip);
    if (l->kind.mode == LISTEN_SUBMISSION && l->kind.tls == LISTEN_TLS_NONE) {
        finding_add(
            f, local ? FINDING_NOTE : FINDING_OPEN, "tls",
            "%.*s: submission without TLS: mail is sent in the clear, and nobody can log in",
            STR_ARG(at));
    }
    if (l->kind.mode == LISTEN_MX && l->kind.tls == LISTEN_TLS_NONE && !local) {
        finding_add(f, FINDING_WEAK, "tls", "%.*s: other servers are offered no TLS", STR_ARG(at));
    }
    if (l->kind.mode == LISTEN_LMTP && !local) {
        finding_add(
            f, FINDING_OPEN, "lmtp",
            "%.*s: LMTP knows no users and no checks of strangers: keep it on loopback or on "
            "a local socket",
            STR_ARG(at));
    }
    buf_done(&at);
}

static void check_policy(struct findings *f, const struct config *c)
{
    if (c->vrfy == ASK_ANYONE || c->expn == ASK_ANYONE) {
        finding_add(f, FINDING_WEAK, "policy",
                    "anybody may ask which addresses there are (vrfy, expn: anyone)");
    }
    if (c->line_endings == LINES_NORMALISE) {
        finding_add(
            f, FINDING_WEAK, "policy",
            "bare CR and LF are taken (line_endings: normalise): servers behind this one may "
            "see other messages than it does");
    }
}

/* Passwords go to it as they are. */
static void check_directories(struct findings *f, const struct config *c)
{
    static const struct str near[] = {STR_INIT("ldap://127."), STR_INIT("ldap://[::1]"),
                                      STR_INIT("ldap://localhost")};
    for (size_t i = 0; i < c->store_count; i++) {
        const struct config_store *store = &c->stores[i];
        bool plain = store->kind == STORE_LDAP && store->tls == STORE_TLS_NO &&
                     str_starts(store->place, STR("ldap://"));
        for (size_t j = 0; j < ARRAY_LEN(near); j++) {
            plain = plain && !str_starts(store->place, near[j]);
        }
        if (plain) {
            finding_add(f, FINDING_OPEN, "users",
                        "%.*s: users' passwords go there in the clear: use ldaps://, or `starttls: "
                        "yes`",
                        STR_ARG(store->name));
        }
    }
}

/* Which of the mode's bits others have. */
static void check_mode(struct findings *f, struct str path, mode_t bits, enum finding_grade grade)
{
    struct stat st;
    if (path.len == 0 || stat(path.ptr, &st) != 0 || (st.st_mode & bits) == 0 ||
        S_ISSOCK(st.st_mode)) {
        return;
    }
    finding_add(f, grade, "files", "%.*s has mode %04o: %s others than its owner", STR_ARG(path),
                (unsigned)st.st_mode & 07777,
                (st.st_mode & bits & 0222) ? "it can be changed by" : "it can be read by");
}

static void check_files(struct findings *f, const struct options_config *source,
                        const struct config *c)
{
    enum { WRITE_BY_OTHERS = 0022, ANY_BY_OTHERS = 0077, ANY_BY_ALL = 0007 };
    check_mode(f, source->file, WRITE_BY_OTHERS, FINDING_OPEN);
    for (const struct config_file *file = c->files; file; file = file->next) {
        check_mode(f, file->path, WRITE_BY_OTHERS, FINDING_OPEN);
    }
    check_mode(f, c->spool_path, ANY_BY_OTHERS, FINDING_OPEN);
    for (size_t i = 0; i < c->store_count; i++) {
        const struct config_store *store = &c->stores[i];
        bool holds_hashes = store->kind == STORE_FILE || store->kind == STORE_SQLITE;
        check_mode(f, holds_hashes ? store->place : STR(""), ANY_BY_ALL, FINDING_OPEN);
        check_mode(f, store->password_file, ANY_BY_ALL, FINDING_OPEN);
    }
    for (size_t i = 0; i < c->certificate_count; i++) {
        check_mode(f, c->certificates[i].key, ANY_BY_ALL, FINDING_OPEN);
    }
    for (size_t i = 0; i < c->dkim_key_count; i++) {
        check_mode(f, c->dkim_keys[i].file, ANY_BY_ALL, FINDING_OPEN);
    }
    for (size_t i = 0; i < c->domain_count; i++) {
        const struct config_mailboxes *m = &c->domains[i].mailboxes;
        if (m->kind == MAILBOX_SYSTEM) {
            finding_add(f, FINDING_NOTE, "postman",
                        "%.*s has mailboxes of system users: one process stays root to become them",
                        STR_ARG(c->domains[i].name));
        }
        if (m->kind == MAILBOX_PIPE) {
            check_mode(f, m->argv[0], WRITE_BY_OTHERS, FINDING_OPEN);
        }
        for (const struct config_file *file = c->domains[i].alias_files; file; file = file->next) {
            check_mode(f, file->path, WRITE_BY_OTHERS, FINDING_OPEN);
        }
    }
}

static void check_fence(struct findings *f, const struct config *c)
{
    if (geteuid() == 0 && c->user.len == 0 && !getpwnam("postrider")) {
        finding_add(
            f, FINDING_WEAK, "fence",
            "started by root, workers stay root (without capabilities): set `user:`, or make "
            "a user \"postrider\"");
    }
    if (fence_landlock_version() == 0) {
        finding_add(
            f, FINDING_WEAK, "fence",
            "this kernel has no Landlock: a worker taken over can reach all files of its user");
    }
    if (!fence_filters_syscalls()) {
        finding_add(f, FINDING_WEAK, "fence", "this kernel has no seccomp filters");
    }
}

void check_security(struct findings *findings, const struct options_config *source,
                    const struct config *config)
{
    check_relaying(findings, config);
    check_limits(findings, config);
    for (size_t i = 0; i < config->listen_count; i++) {
        check_listener(findings, &config->listens[i]);
    }
    check_policy(findings, config);
    check_directories(findings, config);
    check_files(findings, source, config);
    check_fence(findings, config);
}
