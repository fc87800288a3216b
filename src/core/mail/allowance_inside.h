/* allowance_inside.h: a user in the book, shared by the files that make it up. */
#pragma once

#include "core/mail/allowance.h"

struct allowance_user {
    struct map_node node;
    struct list link;
    struct bucket buckets[ALLOWANCE_KINDS];
    struct allowance reserved;
    struct allowance limits; /* that were last applied: by them it drains */
    int64_t told_us;         /* when he was last refused as news, if he was `told` */
    bool told;
    uint8_t name_len;
    char name[];
};

/* Found or made; null: no room. */
struct allowance_user *allowance_make(struct allowance_book *book,
                                      const struct allowance_name *name, int64_t now_us);
/* False: nothing is used or reserved. */
bool allowance_drain(struct allowance_user *user, int64_t now_us);
/* All who have nothing used or reserved are forgotten. */
void allowance_sweep(struct allowance_book *book, int64_t now_us);
