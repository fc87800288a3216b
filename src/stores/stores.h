/* stores.h: where users are kept: one or several places, asked in the order of the configuration.
 * The first that knows a name answers for it. Where one that comes before cannot be asked, there is
 * no answer: the name may be one of its own. Safe from any thread; every call may wait for another
 * server, as long as the stores' time limits, and for a password hash: not on a loop. */
#pragma once

#include "config/config.h"
#include "port/log.h"
#include "stores/verifier.h"

struct stores;

enum store_answer {
    STORE_FOUND,   /* of a look-up */
    STORE_RIGHT,   /* of a password */
    STORE_WRONG,   /* the password is */
    STORE_UNKNOWN, /* no such user */
    STORE_DOWN,    /* no answer can be had now */
};

/* Null where memory is short. `config` is borrowed. Reads files with secrets; what is wrong with
 * them is told by `log` now and when the store is asked. `log` null: nobody hears of trouble. From
 * now on the process ignores SIGPIPE. */
NODISCARD struct stores *stores_new(const struct config *config, struct log *log);
void stores_free(struct stores *stores); /* null is fine */

size_t stores_count(const struct stores *stores);
/* As people know it: "file:/etc/postrider/users". In the configuration's memory. */
struct str stores_name(const struct stores *stores, size_t which);

/* What is kept of the user's password, in `fields` as verifier_parse() reads it; `*which` store it
 * was. STORE_FOUND, STORE_UNKNOWN, STORE_DOWN. */
NODISCARD enum store_answer stores_look_up(struct stores *stores, struct str name,
                                           struct buf *fields, size_t *which);
/* Whether it is the user's password. STORE_RIGHT, with `*which` store said so; STORE_WRONG, which
 * takes as long for an unknown name; STORE_DOWN. */
NODISCARD enum store_answer stores_check(struct stores *stores, struct str name,
                                         struct str password, size_t *which);
/* Whose token it is, by the first store of tokens that takes it: STORE_RIGHT, with the name
 * appended to `user`; STORE_WRONG; STORE_DOWN. `token`: printable ASCII. */
NODISCARD enum store_answer stores_check_token(struct stores *stores, struct str token,
                                               struct buf *user);
/* What a client is told that has no good token: the first such store's rules; null: there is none.
 */
const struct config_store *stores_of_tokens(const struct stores *stores);
/* Whether it can be asked at all; if not, the reason in words. */
NODISCARD bool stores_reach(struct stores *stores, size_t which, struct buf *reason);
