/* loop.h: one thread's event loop (libuv) with a full set of ports. Everything that the ports call
 * back is called on the thread in loop_run(). Loops share nothing but what they post to each
 * other's inboxes, the log and the DNS service. */
#pragma once

#include "port/ports.h"

struct loop;
struct dns_service;

/* `log` and `dns` are borrowed and outlive the loop. Without `dns` every question fails. Null where
 * memory or descriptors are short. */
NODISCARD struct loop *loop_new(struct log *log, struct dns_service *dns);
/* The ports belong to the loop. */
const struct ports *loop_ports(const struct loop *loop);
/* Puts it into the ports, before anything uses them. Borrowed. */
void loop_set_logins(struct loop *loop, struct logins *logins);
void loop_set_tls(struct loop *loop, struct tls *tls);
void loop_set_tally(struct loop *loop, struct tls_tally *tally);
void loop_set_allowances(struct loop *loop, struct allowances *allowances);
void loop_set_signer(struct loop *loop, struct signer *signer, struct crypto *crypto);
void loop_set_https(struct loop *loop, struct https *https);
/* Runs until loop_stop(); may be run again. */
void loop_run(struct loop *loop);
/* From any thread, at any time while the loop exists: it ends its turn and loop_run() returns. A
 * stop before loop_run() ends it at its first turn. */
void loop_stop(struct loop *loop);
/* When nobody runs it and no other thread posts to it any more. Closes every socket and file
 * operation, kills programs that run; nothing is called back. Null is fine. */
void loop_free(struct loop *loop);
