/* auth_asking.h: a machine of core/mailauth with the resolver behind it, and an end to patience.
 * Embedded in what owns the machine. */
#pragma once

#include "path/route/asker.h"
#include "port/ports.h"

struct auth_asking;

/* What the machine is, and who hears of its end. */
struct auth_machine {
    bool (*question)(struct auth_asking *asking, struct dns_question *question);
    void (*answer)(struct auth_asking *asking, uint32_t id, const struct dns_answer *answer);
    bool (*over)(
        struct auth_asking *asking); /* after answers; may do what is to be done with them */
    void (*give_up)(struct auth_asking *asking); /* nothing is waited for any more */
    void (*ended)(struct auth_asking *asking);   /* told once; may free the asking */
};

struct auth_asking {
    const struct auth_machine *machine;
    const struct ports *ports;
    struct asker asker;
    struct timer patience; /* zeroed at first */
};

/* All questions together have 20 seconds (what RFC 7208 4.6.4 wants at least). `ended` is never
 * told before the start returned. */
void auth_asking_start(struct auth_asking *asking, const struct auth_machine *machine,
                       const struct ports *ports);
void auth_asking_cancel(struct auth_asking *asking); /* `ended` is not told; fine if not running */
