/* cfws.h: what may stand between the tokens of a structured field (RFC 5322 3.2.2). */
#pragma once

#include "core/base/scan.h"

/* Skips folding white space and comments, nested ones too; deeper than 16 fails the scan. */
void scan_cfws(struct scan *sc);
