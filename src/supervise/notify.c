#include "supervise/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_un manager;
static socklen_t manager_len; /* 0: none */

void notify_open(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t len = path ? strlen(path) : 0;
    if (len >= 2 && len < sizeof manager.sun_path && (path[0] == '/' || path[0] == '@')) {
        manager = (struct sockaddr_un){.sun_family = AF_UNIX};
        memcpy(manager.sun_path, path, len);
        if (path[0] == '@') {
            manager.sun_path[0] = '\0'; /* an abstract address, without a NUL at its end */
        }
        manager_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (path[0] == '/'));
    }
    unsetenv("NOTIFY_SOCKET");
}

static size_t write_state(char *out, size_t room, enum notify_state state)
{
    struct timespec now;
    int len = 0;
    switch (state) {
    case NOTIFY_READY:
        len = snprintf(out, room, "READY=1");
        break;
    case NOTIFY_RELOADING:
        clock_gettime(CLOCK_MONOTONIC, &now);
        len = snprintf(out, room, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                       (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
        break;
    case NOTIFY_STOPPING:
        len = snprintf(out, room, "STOPPING=1");
        break;
    }
    return len > 0 ? (size_t)len : 0;
}

void notify(enum notify_state state)
{
    char text[128];
    size_t len = write_state(text, sizeof text, state);
    int s = manager_len > 0 ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
    if (s >= 0) {
        (void)!sendto(s, text, len, MSG_NOSIGNAL, (const struct sockaddr *)&manager, manager_len);
        close(s);
    }
}
