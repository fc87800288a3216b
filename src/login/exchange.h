/* exchange.h: one exchange of SASL, step by step, by libgsasl. A step may take as long as a
 * password hash and the stores' time limits: not on a loop. */
#pragma once

#include "core/smtp/sasl.h"
#include "login/secret.h"
#include "port/login.h"
#include "stores/stores.h"

struct exchange_maker; /* shared by all threads */
struct exchange;

/* Null: no memory, or the library does not start. `stores` is borrowed. */
NODISCARD struct exchange_maker *exchange_maker_new(struct stores *stores, sasl_set allowed,
                                                    const struct login_secret *secret);
void exchange_maker_free(struct exchange_maker *maker); /* null is fine */

/* 0, -ENOTSUP: no such mechanism, not an allowed one, or it would show the password without TLS;
 * -ENOMEM. */
NODISCARD int exchange_new(struct exchange_maker *maker, const struct login_facts *facts,
                           struct exchange **made);
void exchange_free(struct exchange *exchange); /* null is fine */

/* `response` in base64. The result; with LOGIN_MORE the challenge in `challenge` (cleared first),
 * with LOGIN_YES the name in `user` (likewise). With LOGIN_NO `user` is whom the client claimed to
 * be, as far as that is known. */
NODISCARD enum login_result exchange_step(struct exchange *exchange, struct str response,
                                          struct buf *challenge, struct buf *user);
