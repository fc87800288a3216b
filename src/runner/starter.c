#include "runner/starter.h"

#include "runner/order.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Input, output, and the end by which the runner tells of the program's. */
enum { DESCRIPTORS = 3 };

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
};

static int send_order(int runner, struct str bytes, const int descriptors[DESCRIPTORS])
{
    union control control = {0};
    struct iovec vector = {.iov_base = (char *)(uintptr_t)bytes.ptr, .iov_len = bytes.len};
    struct msghdr header = {.msg_iov = &vector,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(DESCRIPTORS * sizeof(int));
    memcpy(CMSG_DATA(rights), descriptors, DESCRIPTORS * sizeof(int));
    return sendmsg(runner, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void disconnect(int *runner)
{
    if (*runner >= 0) {
        close(*runner);
        *runner = -1;
    }
}

/* A runner that has ended is replaced, once for each order. */
static int hand_over(struct runner_starter *s, enum runner_kind kind, struct str bytes,
                     const int descriptors[DESCRIPTORS])
{
    int *runner = &s->runners[kind];
    int error = *runner >= 0 ? send_order(*runner, bytes, descriptors) : -EPIPE;
    if (error != -EPIPE && error != -ECONNRESET) {
        return error;
    }
    disconnect(runner);
    *runner = s->connect(s->owner, kind, s->stuck[kind]);
    s->stuck[kind] = s->stuck[kind] && *runner < 0;
    return *runner < 0 ? *runner : send_order(*runner, bytes, descriptors);
}

static enum runner_kind kind_for(struct str name)
{
    return str_starts(name, STR("/")) ? RUNNER_PROGRAMS : RUNNER_POSTMAN;
}

static void stuck(struct program_starter *starter, struct str name)
{
    struct runner_starter *s = CONTAINER_OF(starter, struct runner_starter, starter);
    enum runner_kind kind = kind_for(name);
    pthread_mutex_lock(&s->lock);
    disconnect(&s->runners[kind]);
    s->stuck[kind] = true;
    pthread_mutex_unlock(&s->lock);
}

static int start(struct program_starter *starter, const struct program_order *order)
{
    struct runner_starter *s = CONTAINER_OF(starter, struct runner_starter, starter);
    struct buf bytes = {0};
    int ends[2] = {-1, -1};
    int error = order_format(&bytes, order);
    if (error == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        error = -errno;
    }
    if (error == 0) {
        int descriptors[DESCRIPTORS] = {order->input, order->output, ends[1]};
        pthread_mutex_lock(&s->lock);
        struct str name = order->argc > 0 ? order->argv[0] : STR("");
        error = hand_over(s, kind_for(name), buf_str(&bytes), descriptors);
        pthread_mutex_unlock(&s->lock);
        close(ends[1]);
    }
    buf_done(&bytes);
    if (error != 0 && ends[0] >= 0) {
        close(ends[0]);
    }
    return error ? error : ends[0];
}

int runner_starter_open(struct runner_starter *s,
                        int (*connect)(void *owner, enum runner_kind kind, bool stuck), void *owner)
{
    *s = (struct runner_starter){.starter = {.start = start, .stuck = stuck},
                                 .connect = connect,
                                 .owner = owner,
                                 .runners = {-1, -1}};
    return -pthread_mutex_init(&s->lock, NULL);
}

void runner_starter_renew(struct runner_starter *s)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < RUNNER_KINDS; i++) {
        disconnect(&s->runners[i]);
    }
    pthread_mutex_unlock(&s->lock);
}

void runner_starter_close(struct runner_starter *s)
{
    for (size_t i = 0; i < RUNNER_KINDS; i++) {
        disconnect(&s->runners[i]);
    }
    pthread_mutex_destroy(&s->lock);
}
