#include "cli/serve_supervised.h"

#include "cli/serve_fence.h"
#include "cli/serve_log.h"
#include "supervise/supervisor.h"

#include <stdio.h>
#include <sysexits.h>
#include <time.h>

struct supervised {
    struct options_config *source;
    const struct config *config; /* held */
    struct log *log;
    struct file_watch certificates;
};

static bool all_free(const struct kept_sockets *kept, const struct config *c)
{
    for (size_t i = 0; i < c->listen_count; i++) {
        struct listening_place place = {.at = c->listens[i].at,
                                        .local_path = c->listens[i].local_path};
        if (kept_sockets_may(kept, place) != 0) {
            struct buf at = {0};
            endpoint_format(&at, c->listens[i].at);
            (void)fprintf(stderr,
                          "postrider: cannot start: another program listens at %.*s already\n",
                          STR_ARG(buf_str(&at)));
            buf_done(&at);
            return false;
        }
    }
    return true;
}

static bool allows(void *owner, struct listening_place place)
{
    const struct supervised *server = owner;
    const struct config *c = server->config;
    if (place.local_path.len > 0 && str_eq(place.local_path, c->control_path)) {
        return true;
    }
    for (size_t i = 0; i < c->listen_count; i++) {
        const struct config_listen *l = &c->listens[i];
        if (str_eq(l->local_path, place.local_path) &&
            (place.local_path.len > 0 ||
             (ip_eq(l->at.ip, place.at.ip) && l->at.port == place.at.port))) {
            return true;
        }
    }
    return false;
}

/* Without memory they are loaded anew at a reload only. */
static void watch_certificates(struct supervised *server)
{
    const struct config *c = server->config;
    struct timespec now;
    struct arena arena = {0};
    struct str *files = arena_array(&arena, 2 * c->certificate_count + 1, sizeof *files);
    for (size_t i = 0; files && i < c->certificate_count; i++) {
        files[2 * i] = c->certificates[i].chain;
        files[2 * i + 1] = c->certificates[i].key;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    (void)!file_watch_set(&server->certificates, files, files ? 2 * c->certificate_count : 0,
                          (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    arena_done(&arena);
}

/* What is wrong with a new configuration the worker tells, who reads it next. */
static bool reload(void *owner)
{
    struct supervised *server = owner;
    struct config_problems problems = {0};
    struct config *fresh = NULL;
    bool good = options_load(server->source, &fresh, &problems) == 0;
    if (good) {
        log_set_level(server->log, (enum log_level)fresh->log_level);
        config_drop(server->config);
        server->config = fresh;
        watch_certificates(server);
    }
    config_problems_done(&problems);
    return good;
}

static bool keys_apart(void *owner)
{
    const struct supervised *server = owner;
    return server->config->certificate_count > 0 && server->config->tls_keys == TLS_KEYS_APART;
}

static void print_sandbox_hint(void *owner)
{
    const struct supervised *server = owner;
    const struct config *c = server->config;
    if (!c->sandbox || c->listen_count == 0) {
        return;
    }
    struct buf at = {0};
    endpoint_format(&at, c->listens[0].at);
    (void)printf(
        "\nPostrider's sandbox listens at %.*s. It takes mail for any recipient and sends "
        "nothing out of this machine.\n\nSend it a mail (in another terminal):\n\n"
        "  printf 'Subject: hello\\r\\n\\r\\nIt works.\\r\\n' | curl -s smtp://%.*s --mail-from "
        "me@example.org --mail-rcpt you@example.com -T -\n\n"
        "It will lie in %.*s/example.com/you/new/. Stop with Ctrl-C.\n\n",
        STR_ARG(buf_str(&at)), STR_ARG(buf_str(&at)), STR_ARG(server->source->data_folder));
    (void)fflush(stdout);
    buf_done(&at);
}

enum { ARGUMENTS_MAX = 7 };

/* Of another process of ours; they live in the arena of the source. */
static bool make_arguments(struct options_config *source, char *part, bool salvage,
                           char *arguments[ARGUMENTS_MAX])
{
    static char program[] = "postrider", serve[] = "serve", keep_all[] = "--salvage", file[] = "-c";
    size_t n = 0;
    arguments[n++] = program;
    arguments[n++] = serve;
    arguments[n++] = part;
    if (salvage) {
        arguments[n++] = keep_all;
    }
    if (source->file.len > 0) {
        struct buf path = {0};
        arguments[n++] = file;
        buf_add(&path, source->file);
        buf_add_char(&path, '\0');
        struct str kept =
            path.failed ? (struct str){0} : arena_copy(&source->arena, buf_str(&path));
        buf_done(&path);
        if (!kept.ptr) {
            return false;
        }
        arguments[n++] = (char *)(uintptr_t)kept.ptr; /* execv() takes it so, and changes nothing */
    }
    arguments[n] = NULL;
    return true;
}

static int run(struct supervised *server, bool salvage, struct kept_sockets *kept)
{
    static char as_worker[] = "--worker", as_runner[] = "--runner", as_keys[] = "--keys",
                as_dkim[] = "--dkim", as_login[] = "--login", as_postman[] = "--postman";
    char *worker[ARGUMENTS_MAX], *runner[ARGUMENTS_MAX], *keys[ARGUMENTS_MAX];
    char *dkim[ARGUMENTS_MAX], *login[ARGUMENTS_MAX], *postman[ARGUMENTS_MAX];
    if (!make_arguments(server->source, as_worker, salvage, worker) ||
        !make_arguments(server->source, as_runner, false, runner) ||
        !make_arguments(server->source, as_postman, false, postman) ||
        !make_arguments(server->source, as_keys, false, keys) ||
        !make_arguments(server->source, as_dkim, false, dkim) ||
        !make_arguments(server->source, as_login, false, login)) {
        return EX_OSERR;
    }
    struct supervisor_options options = {.log = server->log,
                                         .worker = worker,
                                         .runner = runner,
                                         .postman = postman,
                                         .keys = keys,
                                         .dkim = dkim,
                                         .login = login,
                                         .allows = allows,
                                         .reload = reload,
                                         .ready = print_sandbox_hint,
                                         .owner = server,
                                         .kept = kept,
                                         .certificates = &server->certificates,
                                         .keys_apart = keys_apart};
    watch_certificates(server);
    return supervise(&options);
}

int serve_supervised(struct options_config *source, const struct config *config, bool salvage)
{
    struct supervised server = {.source = source, .config = config};
    struct kept_sockets kept = {0};
    struct fence_user user;
    size_t given = kept_sockets_adopt(&kept);
    int code = serve_user(config, &user);
    kept.gives = user.name.len > 0;
    kept.user = user.user;
    kept.group = user.group;
    if (code == 0 && !all_free(&kept, config)) {
        code = EX_TEMPFAIL;
    }
    if (code == 0) {
        server.log = serve_log_new(config);
        if (given > 0 && server.log) {
            log_event(server.log, LOG_INFO, "sockets-given", F_INT("count", given));
        }
        code = server.log ? run(&server, salvage, &kept) : EX_OSERR;
    }
    kept_sockets_done(&kept);
    file_watch_done(&server.certificates);
    log_free(server.log);
    config_drop(server.config);
    return code;
}
