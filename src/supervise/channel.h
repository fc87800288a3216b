/* channel.h: messages between the supervisor and its worker: of one fixed form, over a pair of
 * local sockets that keeps their bounds. What a worker says is not trusted: nothing is received but
 * what has this form. */
#pragma once

#include "world/listening_socket.h"

enum { CHANNEL_PATH_MAX = 108 }; /* a local socket's path, with its NUL */

enum message_kind {
    MESSAGE_LISTEN = 1, /* worker: I want a socket that listens there, for that loop */
    MESSAGE_SOCKET,     /* supervisor: there it is, or `error` */
    MESSAGE_RELEASE,    /* worker: that one is no longer wanted */
    MESSAGE_KEYS,       /* worker: I want a socket to the process that signs; SOCKET answers */
    MESSAGE_DKIM,       /* the same, to the one that signs mail */
    MESSAGE_READY,      /* worker: mail is taken; key process: the keys are read, or `error` */
    MESSAGE_RELOADED,   /* worker: the new configuration is in force, or refused */
    MESSAGE_RUNNER,  /* worker: I want a socket to a process that runs programs; SOCKET answers */
    MESSAGE_LOGIN,   /* worker: I want a socket to the process that knows users; SOCKET answers */
    MESSAGE_POSTMAN, /* worker: I want a socket to a process that delivers to system users; likewise
                      */
    MESSAGE_KINDS,
};

struct message {
    enum message_kind kind;
    unsigned loop;
    int error; /* SOCKET: 0 or -errno; of a question for a process: the last one is stuck */
    struct endpoint at;    /* LISTEN, RELEASE; family IP_NONE: a path */
    struct str local_path; /* likewise; once received, in `path` */
    char path[CHANNEL_PATH_MAX];
    int descriptor; /* SOCKET: once received, the receiver's to close; -1: none */
};

/* Two ends, closed on exec. 0 or -errno. */
NODISCARD int channel_pair(int ends[2]);
/* Blocks while the other side's input is full. 0 or -errno. */
NODISCARD int channel_send(int end, const struct message *message);
/* Blocks until one comes, unless the end does not block. 0; -EPIPE where the other side has closed;
 * -EPROTO where it was no message; or another -errno. */
NODISCARD int channel_receive(int end, struct message *message);
