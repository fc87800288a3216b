/* serve.c: `postrider serve`: the worker: the loops, their threads, the post office on them, and
 * signals. The supervisor that starts it is in serve_supervised.c. */
#include "allowance/keeper.h"
#include "cli/check_system.h"
#include "cli/options.h"
#include "cli/serve_dkim.h"
#include "cli/serve_fence.h"
#include "cli/serve_log.h"
#include "cli/serve_servants.h"
#include "cli/serve_supervised.h"
#include "cli/serve_tls.h"
#include "cli/sts_desk.h"
#include "cli/tlsrpt_desk.h"
#include "cli/verb.h"
#include "config/load.h"
#include "control/control.h"
#include "control/pickup.h"
#include "login/logins.h"
#include "path/postoffice.h"
#include "runner/starter.h"
#include "stores/pam_child.h"
#include "supervise/link.h"
#include "supervise/supervisor.h"
#include "world/loop.h"
#include "world/resolver.h"
#include "world/signals.h"
#include "world/system.h"
#include "world/threads.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct server {
    struct options_config source; /* where the configuration came from, for reloads */
    const struct config *config;  /* held */
    struct log *log;
    struct dns_service *dns;
    struct loop *home;
    struct loop *loops[BRANCHES_MAX];
    struct login_service *login; /* null: nobody can log in */
    struct logins *logins[BRANCHES_MAX];
    struct allowance_keeper allowances; /* of users who log in */
    struct serve_tls tls;
    struct serve_dkim dkim;
    struct sts_desk sts;
    struct tlsrpt_desk reports;
    const struct ports *branch_ports[BRANCHES_MAX];
    size_t loop_count;
    struct postoffice *office;
    struct control_office control;
    struct pickup_office pickup;
    struct fence_user user; /* who it is to become */
    struct serve_fence fence;
    struct supervisor_link link;
    struct runner_starter starter;
    struct signal_watch hang_up;
    struct signal_watch terminate;
    struct signal_watch interrupt;
    struct signal_watch renew;
    bool salvage;
    bool open;
    bool closing;
    int exit_code;
};

static void office_closed(void *owner)
{
    struct server *server = owner;
    log_event(server->log, LOG_INFO, "stopped", F_INT("exit", server->exit_code));
    loop_stop(server->home);
}

static void stop(struct server *server, const char *reason)
{
    if (!server->open || server->closing) {
        return; /* still opening: `opened` looks at `closing` */
    }
    server->closing = true;
    log_event(server->log, LOG_INFO, "stopping", F_STR("reason", str_from_cstr(reason)));
    control_close(&server->control);
    pickup_stop(&server->pickup);
    tlsrpt_desk_stop(&server->reports);
    postoffice_close(server->office, office_closed, server);
}

static void asked_to_stop(struct signal_watch *watch)
{
    struct server *server = watch->owner;
    if (!server->open) {
        _Exit(EX_OK); /* nothing was taken yet */
    }
    stop(server, "signal");
}

/* A fence cannot be widened, and loops know from their start whether users log in: another worker
 * goes on, with the listening sockets kept. */
static bool needs_another_worker(struct server *server, const struct config *fresh)
{
    struct serve_fence wanted;
    serve_fence_plan(&wanted, &server->source, fresh);
    bool fits = serve_fence_covers(&server->fence, &wanted) &&
                (server->login != NULL) == (fresh->store_count > 0);
    serve_fence_done(&wanted);
    return !fits;
}

static void give_way(struct server *server)
{
    log_event(server->log, LOG_INFO, "restarting",
              F_STR("reason", STR("the configuration asks for what a worker has from its start")));
    supervisor_link_keep_sockets(&server->link);
    server->exit_code = SUPERVISOR_AGAIN;
    stop(server, "reload");
}

static void asked_to_reload(struct signal_watch *watch)
{
    struct server *server = watch->owner;
    struct config_problems problems = {0};
    struct config *fresh = NULL;
    if (!server->open || server->closing) {
        return;
    }
    if (options_load(&server->source, &fresh, &problems) != 0) {
        log_event(server->log, LOG_ERROR, "reload-refused",
                  F_STR("reason", config_problems_first(&problems)));
        config_problems_done(&problems);
        supervisor_link_reloaded(&server->link);
        return;
    }
    config_problems_done(&problems);
    if (needs_another_worker(server, fresh)) {
        config_drop(fresh);
        give_way(server);
        return;
    }
    runner_starter_renew(&server->starter);
    serve_dkim_try(&server->dkim, fresh);
    if (server->login) {
        login_service_renew(server->login, fresh->mechanisms);
    }
    postoffice_reload(server->office, fresh);
    control_reload(&server->control, fresh);
    pickup_reload(&server->pickup, fresh);
    log_set_level(server->log, (enum log_level)fresh->log_level);
    config_drop(server->config);
    server->config = fresh;
    log_event(server->log, LOG_INFO, "reloaded", F_STR("hostname", fresh->hostname));
    supervisor_link_reloaded(&server->link);
}

static void office_opened(void *owner, int result, struct str reason)
{
    struct server *server = owner;
    if (result != 0) {
        (void)fprintf(stderr, "postrider: cannot start: %.*s (%s)\n", STR_ARG(reason),
                      strerror(-result));
        server->exit_code = result == -EAGAIN || result == -EADDRINUSE ? EX_TEMPFAIL : EX_OSERR;
        loop_stop(server->home);
        return;
    }
    server->open = true;
    const struct ports *home = loop_ports(server->home);
    server->control = (struct control_office){.ports = home,
                                              .queue = postoffice_queue(server->office),
                                              .spool = postoffice_spool(server->office)};
    int error = control_open(&server->control, server->config);
    if (error != 0) {
        log_event(server->log, LOG_WARNING, "no-control-socket",
                  F_STR("path", server->config->control_path),
                  F_STR("reason", str_from_cstr(strerror(-error))));
    }
    server->pickup = (struct pickup_office){.ports = home,
                                            .drafts = postoffice_drafts(server->office),
                                            .ids = postoffice_ids(server->office)};
    pickup_start(&server->pickup, server->config);
    serve_dkim_try(&server->dkim, server->config);
    allowance_keeper_start(&server->allowances);
    tlsrpt_desk_start(&server->reports, server->config, server->home,
                      postoffice_drafts(server->office), postoffice_ids(server->office));
    log_event(server->log, LOG_INFO, "ready", F_STR("hostname", server->config->hostname),
              F_STR("version", STR(POSTRIDER_VERSION)));
    supervisor_link_ready(&server->link);
}

static int connect_login(void *owner, bool stuck)
{
    struct server *server = owner;
    return supervisor_link_login(&server->link, stuck);
}

static bool make_logins(struct server *server)
{
    struct login_options options = {
        .mechanisms = server->config->mechanisms, .connect = connect_login, .owner = server};
    if (server->config->store_count == 0) {
        return true;
    }
    int error = login_service_new(&options, &server->login);
    if (error == 0) {
        error = allowance_keeper_open(&server->allowances, server->home, server->loops,
                                      server->loop_count, server->config->spool_path);
    }
    for (size_t i = 0; i < server->loop_count && error == 0; i++) {
        server->logins[i] = logins_new(server->login, server->loops[i]);
        error = server->logins[i] ? 0 : -ENOMEM;
        loop_set_logins(server->loops[i], server->logins[i]);
    }
    if (error) {
        (void)fprintf(stderr, "postrider: users cannot log in: %s\n", strerror(-error));
    }
    return error == 0;
}

static int connect_keys(void *owner, bool stuck)
{
    struct server *server = owner;
    return supervisor_link_keys(&server->link, stuck);
}

static int connect_dkim(void *owner, bool stuck)
{
    struct server *server = owner;
    return supervisor_link_dkim(&server->link, stuck);
}

static bool make_loops(struct server *server)
{
    const struct config *c = server->config;
    char reason[256] = "";
    struct dns_service_options dns = {.servers = c->dns_servers,
                                      .server_count = c->dns_server_count,
                                      .trust_anchor = c->trust_anchor};
    server->dns = dns_service_new(&dns, reason, sizeof reason);
    if (!server->dns) {
        (void)fprintf(stderr, "postrider: no DNS: %s\n", reason);
        return false;
    }
    size_t count = c->loops > 0 ? c->loops : system_processors();
    server->loop_count = count < BRANCHES_MAX ? count : BRANCHES_MAX;
    server->dkim =
        (struct serve_dkim){.connect_keys = connect_dkim, .owner = server, .log = server->log};
    server->home = loop_new(server->log, server->dns);
    server->tls = (struct serve_tls){.connect_keys = connect_keys,
                                     .owner = server,
                                     .config = &server->config,
                                     .home = server->home,
                                     .log = server->log};
    for (size_t i = 0; i < server->loop_count; i++) {
        server->loops[i] = loop_new(server->log, server->dns);
        if (!server->home || !server->loops[i]) {
            (void)fprintf(stderr, "postrider: not enough memory or descriptors to start\n");
            return false;
        }
        server->branch_ports[i] = loop_ports(server->loops[i]);
        loop_set_keeper(server->loops[i], &server->link.keeper, (unsigned)i + 1);
        loop_set_starter(server->loops[i], &server->starter.starter);
    }
    loop_set_keeper(server->home, &server->link.keeper, 0);
    tlsrpt_desk_open(&server->reports, c, server->loops, server->loop_count);
    return make_logins(server) && serve_tls_open(&server->tls, server->loops, server->loop_count) &&
           serve_dkim_open(&server->dkim, server->home, server->loops, server->loop_count);
}

static void asked_to_renew(struct signal_watch *watch)
{
    struct server *server = watch->owner;
    serve_tls_renew(&server->tls);
}

static void watch_signals(struct server *server)
{
    server->renew = (struct signal_watch){
        .arrived = asked_to_renew, .number = SUPERVISOR_RENEW, .owner = server};
    server->hang_up =
        (struct signal_watch){.arrived = asked_to_reload, .number = SIGHUP, .owner = server};
    server->terminate =
        (struct signal_watch){.arrived = asked_to_stop, .number = SIGTERM, .owner = server};
    server->interrupt =
        (struct signal_watch){.arrived = asked_to_stop, .number = SIGINT, .owner = server};
    (void)!signal_watch_start(server->home, &server->hang_up);
    (void)!signal_watch_start(server->home, &server->terminate);
    (void)!signal_watch_start(server->home, &server->interrupt);
    (void)!signal_watch_start(server->home, &server->renew);
}

static void run(struct server *server)
{
    struct threads *threads = threads_start(server->loops, server->loop_count, NULL, NULL);
    if (!threads) {
        (void)fprintf(stderr, "postrider: cannot start threads\n");
        server->exit_code = EX_OSERR;
        return;
    }
    watch_signals(server);
    struct postoffice_options options = {
        .config = server->config,
        .home = loop_ports(server->home),
        .branches = server->branch_ports,
        .branch_count = server->loop_count,
        .salvage = server->salvage,
        .sts = sts_desk_open(&server->sts, server->config, server->home, false),
        .opened = office_opened,
        .owner = server};
    server->office = postoffice_open(&options);
    if (server->office) {
        loop_run(server->home);
    } else {
        server->exit_code = EX_OSERR;
    }
    for (size_t i = 0; i < server->loop_count; i++) {
        loop_stop(server->loops[i]);
    }
    threads_join(threads);
    signal_watch_stop(&server->hang_up);
    signal_watch_stop(&server->terminate);
    signal_watch_stop(&server->interrupt);
    signal_watch_stop(&server->renew);
}

/* Before there is a second thread, and before anything of a stranger's is read. */
static int enter_fence(struct server *server)
{
    serve_fence_plan(&server->fence, &server->source, server->config);
    serve_fence_trial(server->log, true);
    int code = serve_fence_enter(&server->fence, &server->user, server->log);
    serve_fence_trial(server->log, false);
    return code;
}

static int serve(struct server *server)
{
    server->log = serve_log_new(server->config);
    if (!server->log) {
        return EX_OSERR;
    }
    server->exit_code = enter_fence(server);
    if (server->exit_code == EX_OK) {
        if (make_loops(server)) {
            run(server);
        } else {
            server->exit_code = EX_OSERR;
        }
    }
    serve_dkim_close(&server->dkim);
    for (size_t i = 0; i < server->loop_count; i++) {
        logins_close(server->logins[i]);
        loop_free(server->loops[i]);
        logins_free(server->logins[i]);
    }
    login_service_free(server->login);
    serve_tls_close(&server->tls);
    sts_desk_stop(&server->sts);
    loop_free(server->home);
    sts_desk_close(&server->sts);
    tlsrpt_desk_close(&server->reports);
    allowance_keeper_close(&server->allowances);
    pickup_done(&server->pickup);
    dns_service_free(server->dns);
    log_free(server->log);
    config_drop(server->config);
    serve_fence_done(&server->fence);
    return server->exit_code;
}

static int supervise_all(struct server *server)
{
    return serve_supervised(&server->source, server->config, server->salvage);
}

static int run_programs(struct server *server)
{
    int code = serve_runner(server->config);
    config_drop(server->config);
    return code;
}

static int answer_logins(struct server *server)
{
    return serve_login(server->config);
}

static int hold_keys(struct server *server)
{
    int code = serve_keys(server->config);
    config_drop(server->config);
    return code;
}

static int hold_dkim_keys(struct server *server)
{
    int code = serve_dkim_keys(server->config);
    config_drop(server->config);
    return code;
}

static int carry_mail(struct server *server)
{
    int code = serve_postman(server->config);
    config_drop(server->config);
    return code;
}

static int connect_runner(void *owner, enum runner_kind kind, bool stuck)
{
    struct server *server = owner;
    return kind == RUNNER_POSTMAN ? supervisor_link_postman(&server->link, stuck)
                                  : supervisor_link_runner(&server->link, stuck);
}

static int work(struct server *server)
{
    if (supervisor_link_open(&server->link, SUPERVISOR_CHANNEL) != 0) {
        (void)fprintf(stderr, "postrider: a worker is started by its supervisor\n");
        config_drop(server->config);
        return EX_USAGE;
    }
    int code = serve_user(server->config, &server->user);
    if (code != 0) {
        config_drop(server->config);
    } else if (runner_starter_open(&server->starter, connect_runner, server) == 0) {
        code = serve(server);
        runner_starter_close(&server->starter);
    } else {
        config_drop(server->config);
        code = EX_OSERR;
    }
    supervisor_link_close(&server->link);
    return code;
}

static void print_help(void)
{
    (void)printf(
        "usage: postrider serve [-c FILE] [--salvage]\n\n"
        "Runs the server in the foreground; its log goes to standard error. Without -c it reads\n"
        "/etc/postrider/postrider.yaml; where that is missing too it runs the sandbox: SMTP on\n"
        "127.0.0.1:2525, mail for anybody kept under ./postrider-data/, nothing sent out.\n\n"
        "  --salvage   start even where the spool is damaged, keeping all that can be read\n\n"
        "SIGHUP reads the configuration again, SIGTERM stops; the queue stays on disk. The work "
        "is\n"
        "done by a second process, which is replaced when it crashes.\n\n"
        "example: postrider serve -c postrider.yaml\n");
}

/* The processes of a server, by the options that start them. */
enum { WORKER = 256, RUNNER, KEYS, DKIM, LOGIN, POSTMAN };
static int (*const parts[])(struct server *server) = {work,           run_programs,  hold_keys,
                                                      hold_dkim_keys, answer_logins, carry_mail};
static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                        {"salvage", no_argument, NULL, 's'},
                                        {"worker", no_argument, NULL, WORKER},
                                        {"runner", no_argument, NULL, RUNNER},
                                        {"keys", no_argument, NULL, KEYS},
                                        {"dkim", no_argument, NULL, DKIM},
                                        {"login", no_argument, NULL, LOGIN},
                                        {"postman", no_argument, NULL, POSTMAN},
                                        {"pam", no_argument, NULL, 'p'},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};

int verb_serve(int argc, char **argv)
{
    struct server server = {0};
    const char *file = NULL;
    int (*part)(struct server * server) = supervise_all;
    for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            file = optarg;
            break;
        case 's':
            server.salvage = true;
            break;
        case 'p':
            return pam_child_run();
        case 'h':
            print_help();
            return EX_OK;
        default:
            if (c < WORKER) {
                return EX_USAGE;
            }
            part = parts[c - WORKER];
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "postrider serve: what is \"%s\"? A configuration is named by -c\n",
                      argv[optind]);
        return EX_USAGE;
    }
    struct config_problems problems = {0};
    struct config *config = NULL;
    options_find(&server.source, file);
    int failed = options_load(&server.source, &config, &problems);
    if (failed == 0 && part == supervise_all &&
        !check_system_users(&problems, config, server.source.file)) {
        config_drop(config);
        failed = -EPERM;
    }
    config_problems_print(&problems, stderr);
    config_problems_done(&problems);
    if (failed != 0) {
        options_done(&server.source);
        return EX_CONFIG;
    }
    server.config = config;
    int code = part(&server);
    options_done(&server.source);
    return code;
}
