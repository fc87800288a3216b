/* dovecot_store.c: Dovecot's authentication service, as a store, by its client protocol
 * (doc.dovecot.org, "Authentication Protocol", version 1.x), PLAIN only: it judges passwords
 * itself. A connection for each question. */
#include "stores/store.h"

#include "core/base/encode.h"
#include "world/wipe.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { INPUT_MAX = 32768, PLAIN_MAX = 2048, ASKED_MAX = 4096 };

/* Lines as they come, of at most INPUT_MAX octets in all. */
struct talk {
    const struct store_question *question;
    int socket;
    struct buf input;
    size_t used;
};

static int connected(const struct store *store, const struct store_question *question)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct str path = store->config->place;
    if (path.len >= sizeof at.sun_path) {
        (void)store_down(question, "the socket's path is too long");
        return -1;
    }
    memcpy(at.sun_path, path.ptr, path.len);
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0 || connect(s, (struct sockaddr *)&at, sizeof at) != 0) {
        (void)store_down(question, "%s", strerror(errno));
        if (s >= 0) {
            close(s);
        }
        return -1;
    }
    return s;
}

static bool say(struct talk *t, struct str text)
{
    while (text.len > 0) {
        ssize_t sent = send(t->socket, text.ptr, text.len, MSG_NOSIGNAL);
        if (sent < 0 && (errno != EAGAIN || !store_wait(t->question, t->socket, POLLOUT))) {
            return false;
        }
        text = str_tail(text, sent > 0 ? (size_t)sent : 0);
    }
    return true;
}

static bool read_more(struct talk *t)
{
    enum { PIECE = 4096 };
    if (t->input.len > INPUT_MAX || !buf_reserve(&t->input, PIECE) ||
        !store_wait(t->question, t->socket, POLLIN)) {
        return false;
    }
    ssize_t got = recv(t->socket, t->input.ptr + t->input.len, PIECE, 0);
    t->input.len += got > 0 ? (size_t)got : 0;
    return got > 0 || (got < 0 && errno == EAGAIN);
}

/* The next line without its end, good until the next call. */
static bool next_line(struct talk *t, struct str *line)
{
    for (;;) {
        struct str rest = str_tail(buf_str(&t->input), t->used);
        size_t end = str_find(rest, '\n');
        if (end != STR_NONE) {
            *line = str_head(rest, end);
            t->used += end + 1;
            return true;
        }
        if (!read_more(t)) {
            return false;
        }
    }
}

/* The server's greeting, to its end: that it speaks version 1 and takes PLAIN. */
static bool greeted(struct talk *t)
{
    struct str line;
    bool version = false, plain = false;
    while (next_line(t, &line)) {
        struct str first = str_split(&line, '\t');
        struct str second = str_split(&line, '\t');
        version = version || (str_eq(first, STR("VERSION")) && str_eq(second, STR("1")));
        plain = plain || (str_eq(first, STR("MECH")) && str_eq(second, STR("PLAIN")));
        if (str_eq(first, STR("DONE"))) {
            return version && plain;
        }
    }
    return false;
}

static bool asked(struct talk *t)
{
    struct buf plain = {0}, text = {0};
    /* At once with room for all, so that no part of it stays behind in memory that it has outgrown.
     */
    bool room = buf_reserve(&plain, PLAIN_MAX) && buf_reserve(&text, ASKED_MAX);
    buf_add_char(&plain, '\0');
    buf_add(&plain, t->question->name);
    buf_add_char(&plain, '\0');
    buf_add(&plain, str_from_cstr(t->question->password));
    buf_add(&text, STR("AUTH\t1\tPLAIN\tservice=smtp\tsecured\tno-penalty\tnologin\tresp="));
    base64_encode(&text, buf_str(&plain));
    buf_add_char(&text, '\n');
    bool good = room && !plain.failed && !text.failed && say(t, buf_str(&text));
    wipe_buf(&plain);
    wipe_buf(&text);
    return good;
}

/* "FAIL", the number, then parameters: one says that it is the service's own trouble. */
static enum store_answer failure(const struct talk *t, struct str parameters)
{
    while (parameters.len > 0) {
        struct str parameter = str_split(&parameters, '\t');
        if (str_eq(parameter, STR("temp")) || str_eq(parameter, STR("code=temp_fail"))) {
            return store_down(t->question, "a temporary failure of its own");
        }
    }
    return STORE_UNKNOWN; /* or the password is wrong: that it does not say */
}

static enum store_answer heard(struct talk *t)
{
    struct str line;
    while (next_line(t, &line)) {
        struct str word = str_split(&line, '\t');
        struct str number = str_split(&line, '\t');
        if (!str_eq(number, STR("1"))) {
            continue;
        }
        if (str_eq(word, STR("OK"))) {
            return STORE_RIGHT;
        }
        if (str_eq(word, STR("FAIL"))) {
            return failure(t, line);
        }
    }
    return store_down(t->question, "no answer in time, or the connection broke");
}

/* No two connections at a time may have the same; it is meant to be the process's. */
static unsigned client_number(void)
{
    enum { AT_ONCE = 64 };
    static atomic_uint count;
    return (unsigned)getpid() * AT_ONCE + atomic_fetch_add(&count, 1) % AT_ONCE;
}

static enum store_answer talk(struct store *store, const struct store_question *question)
{
    struct talk t = {.question = question, .socket = connected(store, question)};
    enum store_answer answer = STORE_DOWN;
    if (t.socket < 0) {
        return answer;
    }
    struct buf hello = {0};
    buf_add_format(&hello, "VERSION\t1\t1\nCPID\t%u\n", client_number());
    if (hello.failed || !say(&t, buf_str(&hello)) || !greeted(&t)) {
        answer = store_down(question, "no greeting of Dovecot's that offers PLAIN");
    } else if (!question->password) {
        answer = STORE_FOUND;
    } else {
        answer = asked(&t) ? heard(&t) : store_down(question, "the connection broke");
    }
    buf_done(&hello);
    buf_done(&t.input);
    close(t.socket);
    return answer;
}

const struct store_kind dovecot_store = {.word = "dovecot", .check = talk, .reach = talk};
