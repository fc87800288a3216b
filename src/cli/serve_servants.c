#include "cli/serve_servants.h"

#include "cli/serve_fence.h"
#include "cli/serve_log.h"
#include "keys/key_process.h"
#include "login/login_process.h"
#include "postman/postman.h"
#include "runner/runner.h"
#include "supervise/channel.h"
#include "supervise/supervisor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

int serve_runner(const struct config *config)
{
    struct fence_user user;
    int code = serve_user(config, &user);
    if (code != 0) {
        return code;
    }
    return fence_become(&user) == 0 ? runner_run(config, &runner_programs) : EX_OSERR;
}

/* It stays who it is: each letter is delivered by a child that becomes its recipient. */
int serve_postman(const struct config *config)
{
    if (prctl(PR_SET_DUMPABLE, 0) != 0) {
        return EX_OSERR;
    }
    return runner_run(config, &postman_work);
}

/* A pair that is wrong is told here, and missed by the worker: it does not start without, or keeps
 * what it has. False: there is one. */
static bool read_keys(struct key_ring *ring, const struct config *config, struct log *log)
{
    bool all = true;
    for (size_t i = 0; i < config->certificate_count; i++) {
        const struct config_certificate *pair = &config->certificates[i];
        struct buf reason = {0};
        if (!key_ring_add(ring, pair->chain.ptr, pair->key.ptr, &reason)) {
            log_event(log, LOG_ERROR, "certificate-wrong", F_STR("certificate", pair->chain),
                      F_STR("key", pair->key), F_STR("reason", buf_str(&reason)));
            all = false;
        }
        buf_done(&reason);
    }
    return all;
}

/* One that cannot be read is missed by mail that needs it, which waits. */
static void read_dkim_keys(struct key_ring *ring, const struct config *config)
{
    for (size_t i = 0; i < config->dkim_key_count; i++) {
        struct buf reason = {0};
        if (!key_ring_add_dkim(ring, config->dkim_keys[i].file.ptr, &reason)) {
            (void)fprintf(stderr, "postrider: no DKIM key: %.*s\n", STR_ARG(reason));
        }
        buf_done(&reason);
    }
}

/* Gives up everything, and then says what came of reading the keys. */
static int sign(struct key_ring *ring, const struct fence_user *user, int error)
{
    /* For a sanitizer's sake. */
    static const struct fence_path own = {.path = STR_INIT("/proc/self"), .access = FENCE_READ};
    struct fence fence = {.user = *user, .paths = &own, .path_count = 1, .hides_memory = true};
    struct message read = {.kind = MESSAGE_READY, .error = error, .descriptor = -1};
    struct fence_report report;
    const char *failed = NULL;
    int code = EX_OK;
    if (fence_enter(&fence, &report, &failed) != 0) {
        (void)fprintf(stderr, "postrider: no keys: the fence (%s) failed\n", failed ? failed : "");
        code = EX_OSERR;
    } else if (channel_send(SUPERVISOR_CHANNEL, &read) == 0) {
        key_process_run(ring, SUPERVISOR_CHANNEL);
    }
    key_ring_done(ring);
    return code;
}

int serve_keys(const struct config *config)
{
    static struct key_ring ring;
    struct fence_user user;
    int code = serve_user(config, &user);
    struct log *log = code == 0 ? serve_log_new(config) : NULL;
    if (!log) {
        return code ? code : EX_OSERR;
    }
    bool good = read_keys(&ring, config, log);
    log_free(log);
    return sign(&ring, &user, good ? 0 : -EKEYREJECTED);
}

int serve_dkim_keys(const struct config *config)
{
    static struct key_ring ring;
    struct fence_user user;
    int code = serve_user(config, &user);
    if (code != 0) {
        return code;
    }
    read_dkim_keys(&ring, config);
    return sign(&ring, &user, 0);
}

/* Modules of PAM run programs, and some gain privileges by that: no fence then. */
static bool runs_programs(const struct config *config)
{
    for (size_t i = 0; i < config->store_count; i++) {
        if (config->stores[i].kind == STORE_PAM) {
            return true;
        }
    }
    return false;
}

/* Reads what its user may, for libraries have files of their own; writes the secret of made-up
 * salts, and what lies beside a table of SQLite: readers share memory by a file there. */
static int fence_logins(const struct config *config, const struct fence_user *user)
{
    struct fence_path paths[3 + CONFIG_STORES_MAX] = {
        {.path = STR("/"), .access = FENCE_READ},
        {.path = config->spool_path, .access = FENCE_WRITE},
        {.path = STR("/dev/null"), .access = FENCE_WRITE},
    };
    struct fence fence = {.user = *user, .paths = paths, .path_count = 3, .hides_memory = true};
    struct fence_report report;
    struct arena arena = {0};
    const char *failed = NULL;
    for (size_t i = 0; i < config->store_count; i++) {
        struct str place = config->stores[i].place;
        size_t slash = config->stores[i].kind == STORE_SQLITE ? str_rfind(place, '/') : STR_NONE;
        if (slash != STR_NONE) {
            paths[fence.path_count++] = (struct fence_path){
                .path = arena_copy(&arena, str_head(place, slash + 1)), .access = FENCE_WRITE};
        }
    }
    int error = fence_enter(&fence, &report, &failed);
    arena_done(&arena);
    return error;
}

static int become_unseen(const struct fence_user *user)
{
    int error = fence_become(user);
    return error ? error : prctl(PR_SET_DUMPABLE, 0) != 0 ? -errno : 0;
}

static int answer_logins(const struct config *config, struct log *log)
{
    struct login_secret secret;
    struct stores *stores = stores_new(config, log);
    struct fence_user user;
    int code = serve_user(config, &user);
    if (code != 0 || !stores) {
        return code ? code : EX_OSERR;
    }
    int error = runs_programs(config) ? become_unseen(&user) : fence_logins(config, &user);
    if (error) {
        (void)fprintf(stderr, "postrider: no logins: privileges could not be given up\n");
        return EX_OSERR;
    }
    error = login_secret_get(config->spool_path, &secret);
    struct exchange_maker *maker =
        error ? NULL : exchange_maker_new(stores, config->mechanisms, &secret);
    error = !error && !maker ? -ENOMEM : error;
    error = error ? error : login_process_run(maker, SUPERVISOR_CHANNEL);
    if (error) {
        (void)fprintf(stderr, "postrider: no logins: %s\n", strerror(-error));
    }
    return error ? EX_OSERR : EX_OK;
}

int serve_login(const struct config *config)
{
    struct log *log = serve_log_new(config);
    int code = log ? answer_logins(config, log) : EX_OSERR;
    _exit(code); /* threads may be at work still */
}
