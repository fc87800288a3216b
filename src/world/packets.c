#include "world/packets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world/inside.h"

struct packets {
    uv_poll_t poll;
    struct packets_owner *owner; /* null once closed */
    struct loop *loop;
    int descriptor;
};

static void on_closed(uv_handle_t *handle)
{
    struct packets *packets = handle->data;
    close(packets->descriptor);
    free(packets);
}

/* One message a turn: others have theirs. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct packets *packets = poll->data;
    char *bytes = packets->loop->scratch;
    (void)status;
    (void)events;
    ssize_t got = recv(packets->descriptor, bytes, PACKET_MAX, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        uv_poll_stop(poll);
        packets->owner->lost(packets->owner);
    } else if (got <= PACKET_MAX) {
        packets->owner->arrived(packets->owner, str_from(bytes, (size_t)got));
    }
}

int packets_open(struct loop *loop, int descriptor, struct packets_owner *owner,
                 struct packets **made)
{
    struct packets *packets = calloc(1, sizeof *packets);
    int error = packets ? uv_poll_init(&loop->uv, &packets->poll, descriptor) : -ENOMEM;
    if (error) {
        close(descriptor);
        free(packets);
        return error;
    }
    packets->poll.data = packets;
    packets->owner = owner;
    packets->loop = loop;
    packets->descriptor = descriptor;
    error = uv_poll_start(&packets->poll, UV_READABLE, on_readable);
    if (error) {
        packets_close(packets);
        return error;
    }
    *made = packets;
    return 0;
}

int packets_send(struct packets *packets, struct str bytes)
{
    ssize_t sent = send(packets->descriptor, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? -errno : 0;
}

void packets_close(struct packets *packets)
{
    if (packets && packets->owner) {
        packets->owner = NULL;
        uv_close((uv_handle_t *)&packets->poll, on_closed);
    }
}
