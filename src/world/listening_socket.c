#include "world/listening_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "world/address.h"
#include "world/inside.h"

enum { BACKLOG = 1024 };

/* A socket that nobody listens at is left from a process that died. */
static int remove_stale(const struct sockaddr_un *un, socklen_t len)
{
    struct stat st;
    if (lstat(un->sun_path, &st) != 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    if (!S_ISSOCK(st.st_mode)) {
        return -EEXIST;
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0) {
        return -errno;
    }
    int error = connect(probe, (const struct sockaddr *)un, len) == 0 ? 0 : errno;
    close(probe);
    if (error != ECONNREFUSED) {
        return error == ENOENT ? 0 : -EADDRINUSE;
    }
    return unlink(un->sun_path) == 0 || errno == ENOENT ? 0 : -errno;
}

static int put_path(struct sockaddr_un *un, socklen_t *len, struct str path)
{
    struct sockaddr_storage address;
    int error = address_put_path(&address, len, path);
    memcpy(un, &address, sizeof *un);
    return error;
}

/* The mode is set before listen(): until then nobody can connect. */
static int bind_path(int descriptor, struct str path)
{
    struct sockaddr_un un;
    socklen_t len = 0;
    int error = put_path(&un, &len, path);
    if (error) {
        return error;
    }
    error = remove_stale(&un, len);
    if (error) {
        return error;
    }
    if (bind(descriptor, (struct sockaddr *)&un, len) != 0) {
        return -errno;
    }
    if (chmod(un.sun_path, 0660) != 0) {
        error = -errno;
        unlink(un.sun_path);
    }
    return error;
}

static int bind_endpoint(int descriptor, struct endpoint at)
{
    struct sockaddr_storage address;
    socklen_t len = address_put(&address, at);
    int on = 1;
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
        (at.ip.family == IP_V6 &&
         setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) ||
        bind(descriptor, (struct sockaddr *)&address, len) != 0) {
        return -errno;
    }
    return 0;
}

int listening_socket_open(struct listening_place place)
{
    bool local = place.local_path.len != 0;
    if (!local && place.at.ip.family == IP_NONE) {
        return -EAFNOSUPPORT;
    }
    int family = local ? AF_UNIX : place.at.ip.family == IP_V6 ? AF_INET6 : AF_INET;
    int descriptor = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return -errno;
    }
    int error =
        local ? bind_path(descriptor, place.local_path) : bind_endpoint(descriptor, place.at);
    if (error == 0 && listen(descriptor, BACKLOG) != 0) {
        error = -errno;
        listening_socket_remove(place);
    }
    if (error) {
        close(descriptor);
        return error;
    }
    return descriptor;
}

void listening_socket_remove(struct listening_place place)
{
    struct sockaddr_un un;
    socklen_t len = 0;
    if (place.local_path.len != 0 && put_path(&un, &len, place.local_path) == 0) {
        unlink(un.sun_path);
    }
}

void loop_set_keeper(struct loop *loop, struct socket_keeper *keeper, unsigned number)
{
    loop->net.keeper = keeper;
    loop->net.number = number;
}
