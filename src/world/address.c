#include "world/address.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

socklen_t address_put(struct sockaddr_storage *out, struct endpoint e)
{
    memset(out, 0, sizeof *out);
    if (e.ip.family == IP_V4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(e.port)};
        memcpy(&in.sin_addr, e.ip.bytes, 4);
        memcpy(out, &in, sizeof in);
        return sizeof in;
    }
    if (e.ip.family == IP_V6) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(e.port)};
        memcpy(&in6.sin6_addr, e.ip.bytes, 16);
        memcpy(out, &in6, sizeof in6);
        return sizeof in6;
    }
    return 0;
}

struct endpoint address_get(const struct sockaddr_storage *address)
{
    struct endpoint e = {.ip.family = IP_NONE};
    if (address->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        e.ip.family = IP_V4;
        e.port = ntohs(in.sin_port);
        memcpy(e.ip.bytes, &in.sin_addr, 4);
    } else if (address->ss_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        e.ip.family = IP_V6;
        e.port = ntohs(in6.sin6_port);
        memcpy(e.ip.bytes, &in6.sin6_addr, 16);
        e.ip = ip_unmap(e.ip);
    }
    return e;
}

struct endpoint address_local(int descriptor)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof address;
    if (getsockname(descriptor, (struct sockaddr *)&address, &len) != 0) {
        address.ss_family = AF_UNSPEC;
    }
    return address_get(&address);
}

struct endpoint address_peer(int descriptor)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof address;
    if (getpeername(descriptor, (struct sockaddr *)&address, &len) != 0) {
        address.ss_family = AF_UNSPEC;
    }
    return address_get(&address);
}

int address_put_path(struct sockaddr_storage *out, socklen_t *len, struct str path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (path.len == 0 || str_find(path, '\0') != STR_NONE) {
        return -EINVAL;
    }
    if (path.len >= sizeof un.sun_path) {
        return -ENAMETOOLONG;
    }
    memcpy(un.sun_path, path.ptr, path.len);
    memset(out, 0, sizeof *out);
    memcpy(out, &un, sizeof un);
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1);
    return 0;
}
