#include "supervise/kept_sockets.h"

#include "supervise/channel.h"
#include "world/address.h"
#include "world/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_GIVEN = 3 }; /* sd_listen_fds(3) */

struct kept_socket {
    int descriptor;
    bool given;  /* by a service manager, for all loops */
    bool wanted; /* by the present worker */
    unsigned loop;
    struct endpoint at;
    size_t path_len;
    char path[CHANNEL_PATH_MAX];
};

static struct listening_place place_of(const struct kept_socket *socket)
{
    return (struct listening_place){.at = socket->at,
                                    .local_path = str_from(socket->path, socket->path_len)};
}

static bool is_at(const struct kept_socket *socket, struct listening_place place)
{
    return str_eq(place_of(socket).local_path, place.local_path) &&
           (place.local_path.len > 0 ||
            (ip_eq(socket->at.ip, place.at.ip) && socket->at.port == place.at.port));
}

static struct kept_socket *find(struct kept_sockets *kept, unsigned loop,
                                struct listening_place place)
{
    for (size_t i = 0; i < kept->count; i++) {
        if ((kept->items[i].given || kept->items[i].loop == loop) &&
            is_at(&kept->items[i], place)) {
            return &kept->items[i];
        }
    }
    return NULL;
}

static bool ours(const struct kept_sockets *kept, struct listening_place place)
{
    for (size_t i = 0; i < kept->count; i++) {
        if (is_at(&kept->items[i], place)) {
            return true;
        }
    }
    return false;
}

static struct kept_socket *make_room(struct kept_sockets *kept)
{
    if (kept->count == kept->room) {
        size_t room = kept->room ? kept->room * 2 : 16;
        struct kept_socket *more =
            room > KEPT_MAX ? NULL : realloc(kept->items, room * sizeof *more);
        if (!more) {
            return NULL;
        }
        kept->items = more;
        kept->room = room;
    }
    return &kept->items[kept->count];
}

/* lchown(): what stands at the path is our socket or somebody's trick. */
static void give(const struct kept_sockets *kept, struct listening_place place)
{
    char path[CHANNEL_PATH_MAX] = "";
    if (place.local_path.len > 0) {
        memcpy(path, place.local_path.ptr, place.local_path.len);
        (void)!lchown(path, kept->user, kept->group);
    }
}

int kept_sockets_may(const struct kept_sockets *kept, struct listening_place place)
{
    bool free = place.local_path.len > 0 || ours(kept, place);
    return free ? 0 : system_endpoint_is_free(place.at);
}

/* Where a socket that we were given listens; false where it does not. */
static bool place_given(int descriptor, struct kept_socket *socket)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    int listens = 0;
    socklen_t size = sizeof listens;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens ||
        getsockname(descriptor, (struct sockaddr *)&address, &len) != 0) {
        return false;
    }
    *socket = (struct kept_socket){.descriptor = descriptor, .given = true};
    if (address.ss_family == AF_UNIX) {
        struct sockaddr_un un;
        memcpy(&un, &address, sizeof un);
        socket->path_len = strnlen(un.sun_path, sizeof un.sun_path);
        if (socket->path_len >= sizeof socket->path) {
            return false;
        }
        memcpy(socket->path, un.sun_path, socket->path_len);
        return socket->path_len > 0;
    }
    socket->at = address_get(&address);
    return socket->at.ip.family != IP_NONE;
}

/* The variables count only where they are meant for this very process. */
static long given_count(void)
{
    const char *process = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    long given = process && count && strtol(process, NULL, 10) == (long)getpid()
                     ? strtol(count, NULL, 10)
                     : 0;
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return given > 0 && given <= KEPT_MAX ? given : 0;
}

size_t kept_sockets_adopt(struct kept_sockets *kept)
{
    size_t adopted = 0;
    for (long i = 0, given = given_count(); i < given; i++) {
        int descriptor = FIRST_GIVEN + (int)i;
        struct kept_socket *socket = make_room(kept);
        if (!socket || !place_given(descriptor, socket) ||
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0 ||
            fcntl(descriptor, F_SETFL, O_NONBLOCK) != 0) {
            continue;
        }
        kept->count++;
        adopted++;
    }
    return adopted;
}

int kept_sockets_get(struct kept_sockets *kept, unsigned loop, struct listening_place place)
{
    struct kept_socket *socket = find(kept, loop, place);
    if (socket) {
        socket->wanted = true;
        return socket->descriptor;
    }
    if (place.local_path.len >= sizeof socket->path) {
        return -ENAMETOOLONG;
    }
    int error = kept_sockets_may(kept, place);
    if (error) {
        return error;
    }
    socket = make_room(kept);
    if (!socket) {
        return -ENOMEM;
    }
    int descriptor = listening_socket_open(place);
    if (descriptor < 0) {
        return descriptor;
    }
    if (kept->gives) {
        give(kept, place);
    }
    *socket = (struct kept_socket){
        .descriptor = descriptor, .wanted = true, .loop = loop, .at = place.at};
    socket->path_len = place.local_path.len;
    if (socket->path_len > 0) {
        memcpy(socket->path, place.local_path.ptr, socket->path_len);
    }
    kept->count++;
    return descriptor;
}

/* The path of one that was given is the giver's. */
static void give_up(const struct kept_socket *socket)
{
    if (!socket->given) {
        listening_socket_remove(place_of(socket));
    }
    close(socket->descriptor);
}

void kept_sockets_release(struct kept_sockets *kept, unsigned loop, struct listening_place place)
{
    struct kept_socket *socket = find(kept, loop, place);
    if (socket && !socket->given) {
        give_up(socket);
        *socket = kept->items[--kept->count];
    }
}

void kept_sockets_begin(struct kept_sockets *kept)
{
    for (size_t i = 0; i < kept->count; i++) {
        kept->items[i].wanted = false;
    }
}

void kept_sockets_sweep(struct kept_sockets *kept)
{
    for (size_t i = kept->count; i-- > 0;) {
        if (!kept->items[i].wanted && !kept->items[i].given) {
            give_up(&kept->items[i]);
            kept->items[i] = kept->items[--kept->count];
        }
    }
}

void kept_sockets_done(struct kept_sockets *kept)
{
    for (size_t i = 0; i < kept->count; i++) {
        give_up(&kept->items[i]);
    }
    free(kept->items);
    *kept = (struct kept_sockets){0};
}
