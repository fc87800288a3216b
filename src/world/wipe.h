/* wipe.h: memory that held a secret, overwritten in a way that no optimiser drops, then freed. */
#pragma once

#include "core/base/buf.h"

void wipe_buf(struct buf *b); /* all that it has room for; it is then an empty buffer */
