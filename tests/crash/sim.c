/* crash_sim SEED [COUNT]: whole mail systems in one process, as DESIGN.md section 3 has them, one
 * run for each seed from SEED on. `crash_sim -v SEED` shows that run event by event. */
#include "crash/house.h"
#include "crash/rack.h"
#include "crash/trouble.h"

#include <stdlib.h>

static void run(uint64_t seed)
{
    struct house *h = calloc(1, sizeof *h);
    if (!h) {
        abort();
    }
    house_run(h, seed);
    tell("%llu events, %u messages, %u acknowledged, %u copies, %u reports",
         (unsigned long long)h->world.events, h->ledger.count, h->ledger.acknowledged,
         h->ledger.arrivals, h->ledger.reports);
}

int main(int argc, char **argv)
{
    return rack_main(argc, argv, run);
}
