/* status.h: enhanced status codes as text (RFC 3463 section 2): "5.1.1". */
#pragma once

#include "core/base/buf.h"
#include "core/mail/outcome.h"

void status_format(struct buf *out, struct status_code status);
/* The whole of `text`: class 2, 4 or 5, then two numbers of one to three digits. */
NODISCARD bool status_parse(struct str text, struct status_code *status);
