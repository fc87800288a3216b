#include "supervise/kept_sockets.h"

#include "supervise/channel.h"
#include "world/system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct kept_socket {
    int descriptor;
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
        if (kept->items[i].loop == loop && is_at(&kept->items[i], place)) {
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

int kept_sockets_get(struct kept_sockets *kept, unsigned loop, struct listening_place place)
{
    struct kept_socket *socket = find(kept, loop, place);
    if (socket) {
        return socket->descriptor;
    }
    if (place.local_path.len >= sizeof socket->path) {
        return -ENAMETOOLONG;
    }
    if (place.local_path.len == 0 && !ours(kept, place) && system_endpoint_is_free(place.at) != 0) {
        return -EADDRINUSE;
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
    *socket = (struct kept_socket){.descriptor = descriptor, .loop = loop, .at = place.at};
    socket->path_len = place.local_path.len;
    if (socket->path_len > 0) {
        memcpy(socket->path, place.local_path.ptr, socket->path_len);
    }
    kept->count++;
    return descriptor;
}

static void give_up(const struct kept_socket *socket)
{
    listening_socket_remove(place_of(socket));
    close(socket->descriptor);
}

void kept_sockets_release(struct kept_sockets *kept, unsigned loop, struct listening_place place)
{
    struct kept_socket *socket = find(kept, loop, place);
    if (socket) {
        give_up(socket);
        *socket = kept->items[--kept->count];
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
