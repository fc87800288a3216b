/* address.h: endpoints as the system's socket addresses. */
#pragma once

#include <sys/socket.h>

#include "core/base/ip.h"

/* The length of what was written; 0 where the endpoint has no family. */
socklen_t address_put(struct sockaddr_storage *out, struct endpoint e);
/* Family IP_NONE for anything but Internet sockets; IPv4-mapped addresses as IPv4. */
struct endpoint address_get(const struct sockaddr_storage *address);
/* Of a connected or bound socket; family IP_NONE where there is none. */
struct endpoint address_local(int descriptor);
struct endpoint address_peer(int descriptor);
/* A local socket's path; 0, or -ENAMETOOLONG, or -EINVAL where it is empty or holds a NUL. */
NODISCARD int address_put_path(struct sockaddr_storage *out, socklen_t *len, struct str path);
