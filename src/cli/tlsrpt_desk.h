/* tlsrpt_desk.h: `postrider serve` counts what becomes of TLS towards other servers, and reports.
 */
#pragma once

#include "config/config.h"
#include "tlsrpt/reporter.h"
#include "world/loop.h"

struct tlsrpt_desk {
    struct tally *tally; /* null: nobody counts */
    struct arena memory;
    struct reporter reporter;
};

/* Before the loops run. Zeroed before. */
void tlsrpt_desk_open(struct tlsrpt_desk *desk, const struct config *config, struct loop **loops,
                      size_t count);
/* When the post office is open. */
void tlsrpt_desk_start(struct tlsrpt_desk *desk, const struct config *config, struct loop *home,
                       struct draft_office *drafts, struct queue_id_maker *ids);
void tlsrpt_desk_stop(struct tlsrpt_desk *desk);  /* before it closes */
void tlsrpt_desk_close(struct tlsrpt_desk *desk); /* after the loops are freed */
