#include "cli/check_stores.h"

#include "stores/stores.h"

#include <stdio.h>

static void check_one(struct stores *stores, size_t which, json_t *list)
{
    struct buf reason = {0};
    struct str name = stores_name(stores, which);
    bool reached = stores_reach(stores, which, &reason);
    if (list) {
        struct str why = reason.len > 0 ? buf_str(&reason) : STR("");
        json_array_append_new(list, json_pack("{s:s%, s:b, s:s%}", "store", name.ptr, name.len,
                                              "reached", reached, "reason", why.ptr, why.len));
    } else if (!reached) {
        (void)fprintf(
            stderr,
            "warning: users: %.*s gives no answer now (%.*s); who logs in is told to come "
            "back later\n",
            STR_ARG(name), STR_ARG(buf_str(&reason)));
    }
    buf_done(&reason);
}

void check_stores(const struct config *config, json_t *list)
{
    struct stores *stores = config->store_count > 0 ? stores_new(config, NULL) : NULL;
    for (size_t i = 0; stores && i < stores_count(stores); i++) {
        check_one(stores, i, list);
    }
    stores_free(stores);
}
