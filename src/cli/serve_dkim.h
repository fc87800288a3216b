/* serve_dkim.h: signatures for the loops of `postrider serve`, by keys that the key process has. */
#pragma once

#include "config/config.h"
#include "keys/dkim_signer.h"
#include "path/postoffice.h"
#include "world/loop.h"

struct serve_dkim {
    /* As key_asker has it; from any thread. */
    int (*connect_keys)(void *owner, bool stuck);
    void *owner;
    struct log *log;

    struct dkim_signer *signer;
    size_t count; /* of loops */
    struct crypto *crypto[BRANCHES_MAX];

    /* The trial under way, on the home loop. */
    struct signer *home;
    struct signer_order order;
    const struct config *tried, *next; /* held */
    size_t at;                         /* the key that is being tried */
};

/* Gives every loop a signer, whether there are keys now or after a reload. False: said on standard
 * error. */
NODISCARD bool serve_dkim_open(struct serve_dkim *dkim, struct loop *home, struct loop **loops,
                               size_t count);
/* At the start and at each reload, on the home loop: the key process is asked anew, and a key that
 * it has not is told as `dkim-trouble`. Mail that needs it waits; all other goes on. */
void serve_dkim_try(struct serve_dkim *dkim, const struct config *config);
/* When no loop runs any more, and before they are freed. */
void serve_dkim_close(struct serve_dkim *dkim);
