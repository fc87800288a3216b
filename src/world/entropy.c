#include "world/entropy.h"

#include <errno.h>
#include <sys/random.h>

#include "core/base/map.h"
#include "world/inside.h"

/* getrandom() cannot fail on a kernel that has it, once the system has started; should a sandbox
 * refuse it, numbers that differ are better than none. */
static void fill(struct loop_entropy *e)
{
    size_t have = 0;
    while (have < sizeof e->block) {
        ssize_t n = getrandom((char *)e->block + have, sizeof e->block - have, 0);
        if (n > 0) {
            have += (size_t)n;
        } else if (errno != EINTR) {
            break;
        }
    }
    if (have < sizeof e->block) {
        uint64_t seed = (uint64_t)clock_monotonic_us() ^ (uint64_t)(uintptr_t)e;
        for (size_t i = 0; i < ARRAY_LEN(e->block); i++) {
            seed = hash_u64(seed + i + 1);
            e->block[i] ^= seed;
        }
    }
    e->left = ARRAY_LEN(e->block);
}

static uint64_t u64(struct entropy *entropy)
{
    struct loop_entropy *e = CONTAINER_OF(entropy, struct loop_entropy, port);
    if (e->left == 0) {
        fill(e);
    }
    uint64_t value = e->block[--e->left];
    e->block[e->left] = 0;
    return value;
}

void loop_entropy_init(struct loop_entropy *e)
{
    *e = (struct loop_entropy){.port = {.u64 = u64}};
}
