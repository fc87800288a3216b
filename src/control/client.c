#include "control/client.h"

#include "core/base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

enum { ANSWER_LINE_MAX = 64 << 20, PIECE = 64 << 10 };

static int explain(struct str path, int error)
{
    const char *name = path.len ? path.ptr : "";
    if (error == EACCES || error == EPERM) {
        (void)fprintf(stderr, "postrider: you may not use %s: ask the server's user, or root\n",
                      name);
        return EX_NOPERM;
    }
    if (error == ENOENT || error == ECONNREFUSED) {
        (void)fprintf(stderr,
                      "postrider: no server runs here (nobody listens at %s); start it with "
                      "`postrider serve`\n",
                      name);
        return EX_TEMPFAIL;
    }
    (void)fprintf(stderr, "postrider: cannot ask the server at %s: %s\n", name, strerror(error));
    return EX_IOERR;
}

static int open_socket(struct str path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path.len == 0 || path.len >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path.ptr, path.len);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        int error = errno;
        (void)close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static bool send_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        bytes = str_tail(bytes, (size_t)n);
    }
    return true;
}

static bool send_question(int fd, json_t *question)
{
    char *text = json_dumps(question, JSON_COMPACT);
    bool sent = text && send_all(fd, str_from_cstr(text)) && send_all(fd, STR("\n"));
    free(text);
    return sent;
}

/* Hands out whole lines; true when the last of the answer was among them. */
static bool take_lines(struct buf *in, const struct control_ask *ask)
{
    bool done = false;
    for (size_t lf; !done && (lf = str_find(buf_str(in), '\n')) != STR_NONE;) {
        json_t *line = json_loadb(in->ptr, lf, 0, NULL);
        buf_drop(in, lf + 1);
        done = json_object_get(line, "done") != NULL;
        ask->line(ask->owner, line);
        json_decref(line);
    }
    return done;
}

static int read_answer(int fd, const struct control_ask *ask)
{
    struct buf in = {0};
    bool done = false;
    ssize_t n = 1;
    while (!done && n > 0 && in.len < ANSWER_LINE_MAX && buf_reserve(&in, PIECE)) {
        n = recv(fd, in.ptr + in.len, PIECE, 0);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        in.len += n > 0 ? (size_t)n : 0;
        done = take_lines(&in, ask);
    }
    buf_done(&in);
    return done ? EX_OK : EX_IOERR;
}

int control_ask(const struct control_ask *ask)
{
    int fd = open_socket(ask->path);
    if (fd < 0) {
        json_decref(ask->question);
        return explain(ask->path, errno);
    }
    int code = send_question(fd, ask->question) ? read_answer(fd, ask) : EX_IOERR;
    json_decref(ask->question);
    (void)close(fd);
    if (code != EX_OK) {
        (void)fprintf(stderr, "postrider: the server stopped in the middle of its answer\n");
    }
    return code;
}
