#include "keys/key_process.h"

#include "supervise/channel.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* False when the other side is gone. What is no question is passed over. */
static bool serve(struct key_ring *ring, int socket)
{
    struct key_question question;
    struct key_answer answer;
    ssize_t got = recv(socket, &question, sizeof question, MSG_DONTWAIT | MSG_TRUNC);
    if (got == 0) {
        return false;
    }
    if (got == (ssize_t)sizeof question) {
        key_ring_answer(ring, &question, &answer);
        (void)!send(socket, &answer, sizeof answer, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    return true;
}

/* One more socket; false when nobody can bring another. */
static bool open_door(int door, struct pollfd *waits, size_t *count)
{
    struct message message;
    int error = channel_receive(door, &message);
    if (error == 0 && message.descriptor >= 0) {
        if (*count < KEY_SOCKETS_MAX) {
            waits[(*count)++] = (struct pollfd){.fd = message.descriptor, .events = POLLIN};
        } else {
            close(message.descriptor);
        }
    }
    return error == 0 || error == -EAGAIN || error == -EPROTO;
}

void key_process_run(struct key_ring *ring, int door)
{
    struct pollfd waits[1 + KEY_SOCKETS_MAX];
    size_t count = 0; /* of the sockets, behind the door */
    waits[0] = (struct pollfd){.fd = door, .events = POLLIN};
    while (waits[0].fd >= 0 || count > 0) {
        if (poll(waits, (nfds_t)(count + 1), -1) < 0) {
            continue;
        }
        for (size_t i = count; i > 0; i--) {
            if (waits[i].revents != 0 && !serve(ring, waits[i].fd)) {
                close(waits[i].fd);
                waits[i] = waits[count--];
            }
        }
        if (waits[0].revents != 0 && !open_door(door, waits + 1, &count)) {
            waits[0].fd = -1;
        }
    }
}
