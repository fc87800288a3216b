/* soon.h: something to be done when the loop turns next: how a completion that is known at once is
 * kept from being called inside the call that asked for it. For this folder alone. */
#pragma once

#include "core/base/list.h"

struct loop;

struct soon { /* zeroed at first */
    struct list node;
    void (*run)(struct soon *soon);
};

void loop_soon(struct loop *loop, struct soon *soon); /* fine if it is to be done already */
void soon_cancel(struct soon *soon);                  /* fine if it is not */
