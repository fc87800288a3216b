#include "supervise/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As it goes over the wire; both ends are the same program. */
struct form {
    uint32_t kind;
    uint32_t loop;
    int32_t error;
    uint16_t family, port;
    uint8_t address[16];
    char path[CHANNEL_PATH_MAX]; /* up to a NUL */
};

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int channel_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0 ? 0 : -errno;
}

static int to_form(const struct message *message, struct form *form)
{
    *form = (struct form){.kind = (uint32_t)message->kind,
                          .loop = message->loop,
                          .error = message->error,
                          .family = (uint16_t)message->at.ip.family,
                          .port = message->at.port};
    memcpy(form->address, message->at.ip.bytes, sizeof form->address);
    if (message->local_path.len >= sizeof form->path) {
        return -ENAMETOOLONG;
    }
    if (message->local_path.len > 0) {
        memcpy(form->path, message->local_path.ptr, message->local_path.len);
    }
    return 0;
}

int channel_send(int end, const struct message *message)
{
    struct form form;
    int error = to_form(message, &form);
    if (error) {
        return error;
    }
    union control control = {0};
    struct iovec vector = {.iov_base = &form, .iov_len = sizeof form};
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
    if (message->kind == MESSAGE_SOCKET && message->descriptor >= 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = sizeof control.bytes;
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(rights), &message->descriptor, sizeof(int));
    }
    ssize_t sent;
    do {
        sent = sendmsg(end, &header, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

/* -1 where none came with it. There is room for one: the kernel closes what would be more. */
static int descriptor_of(struct msghdr *header)
{
    int descriptor = -1;
    struct cmsghdr *rights = CMSG_FIRSTHDR(header);
    if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS &&
        rights->cmsg_len == CMSG_LEN(sizeof(int))) {
        memcpy(&descriptor, CMSG_DATA(rights), sizeof(int));
    }
    return descriptor;
}

static bool from_form(const struct form *form, struct message *message)
{
    size_t len = strnlen(form->path, sizeof form->path);
    if (form->kind == 0 || form->kind >= MESSAGE_KINDS || len == sizeof form->path ||
        (form->family != IP_NONE && form->family != IP_V4 && form->family != IP_V6)) {
        return false;
    }
    message->kind = (enum message_kind)form->kind;
    message->loop = form->loop;
    message->error = form->error;
    message->at.ip.family = (enum ip_family)form->family;
    message->at.port = form->port;
    memcpy(message->at.ip.bytes, form->address, sizeof form->address);
    memcpy(message->path, form->path, sizeof form->path);
    message->local_path = str_from(message->path, len);
    return true;
}

int channel_receive(int end, struct message *message)
{
    struct form form;
    union control control = {0};
    struct iovec vector = {.iov_base = &form, .iov_len = sizeof form};
    struct msghdr header = {.msg_iov = &vector,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    ssize_t got;
    do {
        got = recvmsg(end, &header, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return -errno;
    }
    int descriptor = descriptor_of(&header);
    *message = (struct message){.descriptor = -1};
    if (got == (ssize_t)sizeof form && !(header.msg_flags & MSG_TRUNC) &&
        from_form(&form, message) && (descriptor < 0 || message->kind == MESSAGE_SOCKET)) {
        message->descriptor = descriptor;
        return 0;
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return got == 0 ? -EPIPE : -EPROTO;
}
