/* queued.h: a message of the running server's queue, as it would go out. Blocks. */
#pragma once

#include "core/base/buf.h"

/* Of the control socket at `path`. EX_OK, or an exit code with the reason told. */
NODISCARD int queued_message(struct str path, const char *id, struct buf *message);
