/* crash_spool SEED [COUNT]: a spool on a disk that fails in every way that disks do, one run for
 * each seed: some lives of it, one after the other, each with work at random, and each ended by a
 * close, a kill or a power cut. `crash_spool -v SEED` shows a run. */
#include "crash/rack.h"
#include "crash/trouble.h"
#include "crash/yard.h"

#include <stdlib.h>

/* Housekeeping in the midst of which it ends. */
static void stir(struct yard *y)
{
    for (uint64_t n = sim_below(&y->world, 30); n > 0 && !yard_dead(y); n--) {
        (void)y->spool->ops->tick(y->spool);
        yard_step(y, sim_below(&y->world, 4));
    }
}

/* One life; true: it ended in order, on a disk that had no fault. */
static bool live(struct yard *y)
{
    struct sim_world *w = &y->world;
    uint64_t faults = sim_below(w, 4);
    if (faults == 3) {
        yard_set_fault(y);
    }
    if (!yard_open(y)) {
        return false;
    }
    yard_read_all(y);
    for (; faults > 0; faults--) {
        yard_work(y, sim_below(w, 40));
        yard_set_fault(y);
    }
    yard_work(y, 10 + sim_below(w, 60));
    if (!yard_dead(y) && sim_once_in(w, 2)) {
        stir(y);
    }
    uint64_t end = sim_below(w, 4);
    if (!yard_dead(y) && end == 0) {
        yard_kill(y);
    } else if (yard_dead(y) || end == 1) {
        yard_cut(y);
    } else {
        bool good = !y->fault_set;
        yard_close(y);
        good = good && !y->spool && !y->fault_set;
        yard_heal(y);
        return good;
    }
    return false;
}

static void run(uint64_t seed)
{
    struct yard *y = calloc(1, sizeof *y);
    if (!y) {
        abort();
    }
    yard_init(y, seed);
    bool in_order = false;
    for (uint64_t lives = 1 + sim_below(&y->world, 5); lives > 0; lives--) {
        in_order = live(y);
    }
    if (in_order) {
        yard_damage(y);
        yard_open_damaged(y);
    } else {
        yard_heal(y);
        if (!yard_open(y)) {
            trouble("on a good disk the spool does not open");
        }
    }
    yard_read_all(y);
    yard_finish_all(y);
    yard_close(y);
    if (!yard_open(y)) {
        trouble("at the end the spool does not open");
    }
}

int main(int argc, char **argv)
{
    return rack_main(argc, argv, run);
}
