#include "cli/serve_servants.h"

#include "cli/serve_fence.h"
#include "keys/key_process.h"
#include "runner/runner.h"
#include "supervise/supervisor.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>

int serve_runner(const struct config *config)
{
    struct fence_user user;
    int code = serve_user(config, &user);
    if (code != 0) {
        return code;
    }
    return fence_become(&user) == 0 ? runner_run(config) : EX_OSERR;
}

/* A key that cannot be read is told here, and missed by the worker, who then does not start. */
static void read_keys(struct key_ring *ring, const struct config *config)
{
    for (size_t i = 0; i < config->certificate_count; i++) {
        struct buf reason = {0};
        if (!key_ring_add(ring, config->certificates[i].key.ptr, &reason)) {
            (void)fprintf(stderr, "postrider: no key: %.*s\n", STR_ARG(reason));
        }
        buf_done(&reason);
    }
    for (size_t i = 0; i < config->dkim_key_count; i++) {
        struct buf reason = {0};
        if (!key_ring_add_dkim(ring, config->dkim_keys[i].file.ptr, &reason)) {
            (void)fprintf(stderr, "postrider: no DKIM key: %.*s\n", STR_ARG(reason));
        }
        buf_done(&reason);
    }
}

int serve_keys(const struct config *config)
{
    static struct key_ring ring;
    static const struct fence_path own = {.path = STR_INIT("/proc/self"), .access = FENCE_READ};
    struct fence fence = {.paths = &own, .path_count = 1}; /* for a sanitizer's sake */
    struct fence_report report;
    const char *failed = NULL;
    int code = serve_user(config, &fence.user);
    if (code != 0) {
        return code;
    }
    read_keys(&ring, config);
    /* Nobody of our user looks into this memory, nor does a crash write it to a file. */
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || fence_enter(&fence, &report, &failed) != 0) {
        (void)fprintf(stderr, "postrider: no keys: the fence (%s) failed\n", failed ? failed : "");
        return EX_OSERR;
    }
    key_process_run(&ring, SUPERVISOR_CHANNEL);
    key_ring_done(&ring);
    return EX_OK;
}
