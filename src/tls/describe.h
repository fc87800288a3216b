/* describe.h: a server's certificates in words, for `postrider route --connect`. */
#pragma once

#include <openssl/ssl.h>

#include "core/base/buf.h"

/* A line for each certificate that came, the server's own first: whose, for which names, by whom,
 * until when; and one for what checking them gave. Each ends with LF. */
void describe_chain(const SSL *ssl, struct buf *out);
