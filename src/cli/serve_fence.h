/* serve_fence.h: the fence of a worker, by its configuration. */
#pragma once

#include "cli/options.h"
#include "fence/fence.h"
#include "port/log.h"

/* What a worker may reach: kept for its life, to be compared with that of a new configuration. */
struct serve_fence {
    struct arena arena;
    struct fence_path *paths;
    size_t count, room;
    bool failed; /* no memory */
};

/* Who workers are, as `user:` says and root can choose. 0; or EX_NOUSER with the reason told on
 * standard error. */
NODISCARD int serve_user(const struct config *config, struct fence_user *user);
/* What the configuration needs. */
void serve_fence_plan(struct serve_fence *fence, const struct options_config *source,
                      const struct config *config);
/* Makes the folders that are to be written to, gives up everything else, and tells the log. 0 or an
 * exit code. */
NODISCARD int serve_fence_enter(struct serve_fence *fence, const struct fence_user *user,
                                struct log *log);
/* Is all that `wanted` needs within what `fence` leaves? */
NODISCARD bool serve_fence_covers(const struct serve_fence *fence,
                                  const struct serve_fence *wanted);
/* In test builds: tries the fence, where the environment says so. */
void serve_fence_trial(struct log *log, bool before);
void serve_fence_done(struct serve_fence *fence);
