/* received_inside.h: the parts of the reader of a Received field, shared by its files. */
#pragma once

#include "core/trace/received.h"
#include "core/trace/token.h"

/* "[192.0.2.1]", "192.0.2.1:25", "[IPv6:2001:db8::1]", "[::1%eth0]", …: the address, and what
 * stands before the bracket ("anna@" of "anna@[192.0.2.1]", a name without a blank). */
bool address_read(struct str word, struct ip *ip, struct str *before);
/* "example.org", "example.org.", "[192.0.2.1]"; has a dot, no "@". */
bool is_host_name(struct str word);

/* A comment after the word of "from", or the bracket that stands there. */
void peer_comment(struct received *r, struct str comment);
/* A comment anywhere: TLS, who logged in, the envelope's sender. False: nothing known is in it. */
bool facts_comment(struct received *r, struct str comment);
/* The name of a cipher suite, as OpenSSL, GnuTLS or IANA write it. */
bool is_cipher(struct str word);
/* When all is read: which of the names is which (helo, rdns). */
void peer_settle(struct received *r);
