/* tally.h: tells the tally what became of the way to a host: once a connection, or where none was
 * made because of the policy. */
#pragma once

#include "path/deliver/connection.h"
#include "path/route/host_tls.h"

/* The client is READY or CLOSED for the first time. */
void tally_connection(const struct connection *c);
/* The host's policy forbids to connect. */
void tally_refusal(const struct host_tls_query *query);
