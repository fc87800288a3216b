/* asker.h: carries the questions of a machine of core/dns to the resolver and its answers back, as
 * many at once as the machine has. Embedded in what owns the machine; zeroed memory is fine to
 * cancel. */
#pragma once

#include "core/dns/question.h"
#include "port/resolver.h"

enum { ASKER_SLOTS = 8 };

struct asker;

struct asker_slot {
    struct resolver_query query;
    struct asker *asker;
    uint32_t id;
    bool busy;
};

struct asker {
    struct resolver *resolver;
    bool (*question)(struct asker *asker, struct dns_question *question);
    void (*answer)(struct asker *asker, uint32_t id, const struct dns_answer *answer);
    /* After every answer, when further questions have been asked: the owner looks how far its
     * machine came. It may cancel and free the asker here. */
    void (*turned)(struct asker *asker);
    struct asker_slot slots[ASKER_SLOTS];
};

/* Asks all that the machine wants to know now. */
void asker_ask(struct asker *asker);
void asker_cancel(struct asker *asker);
/* Why no answer came, as the machines say it. */
enum dns_arrival asker_arrival(enum resolver_result result);
