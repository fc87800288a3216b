/* system.h: what a program asks of its system at start, before any loop runs. */
#pragma once

#include "core/base/buf.h"
#include "core/base/ip.h"

/* First thing in main(): opens what is closed of the standard streams, ignores SIGPIPE, sizes the
 * thread pool for files (UV_THREADPOOL_SIZE where it is set, else 32: syncs of one file system
 * share its flushes), raises the limit of open descriptors as far as is allowed, and keeps the
 * allocator from giving pages back that the next burst wants again. Returns that limit. */
size_t system_prepare(void);
/* The full name of this host as far as it is known, lower case. It may ask the network. */
void system_hostname(struct buf *out);
/* How many processors this process may use; at least 1. */
size_t system_processors(void);
/* 0, or -EADDRINUSE where another process listens there. Our own loops share an endpoint, and so
 * could two servers of one user by mistake: the kernel would split the mail between them. */
NODISCARD int system_endpoint_is_free(struct endpoint at);
