/* dkim_signer.h: port/signer.h by the key process. Its answers are waited for by a thread of their
 * own, one question at a time, as that process works: no loop is ever held up, and nothing else of
 * the pool's work stands behind a key. */
#pragma once

#include "core/base/buf.h"
#include "port/signer.h"

struct dkim_signer;

/* `connect`: a socket to the key process, or -errno; from the thread. Null: no memory. */
NODISCARD struct dkim_signer *dkim_signer_new(int (*connect)(void *owner, bool stuck), void *owner);
/* For the loop with that inbox; lives as long as the signer. Null: no memory. */
NODISCARD struct signer *dkim_signer_for(struct dkim_signer *signer, struct inbox *inbox);
/* The next question goes to the key process that there is then: after a reload. */
void dkim_signer_renew(struct dkim_signer *signer);
/* When no order is under way: the loops have ended. Null is fine. */
void dkim_signer_free(struct dkim_signer *signer);
