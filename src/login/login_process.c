#include "login/login_process.h"

#include "core/base/list.h"
#include "login/question.h"
#include "login/shares.h"
#include "supervise/channel.h"
#include "world/wipe.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IDLE_S = 60 }; /* then a thread ends */

/* One of the worker's sockets. */
struct line {
    int socket;
    bool closed;
    struct list exchanges; /* newest first: most questions are about those */
};

/* An exchange under way. A thread has it while `working`: then nobody else touches it but `ended`.
 */
struct one {
    struct list node; /* in its line */
    struct list age;  /* in the desk's */
    struct list job;  /* in the desk's queue */
    struct share *share;
    uint64_t turn;
    struct line *line;
    struct exchange *exchange;
    uint32_t id;
    bool working, ended;
    struct buf response;
};

struct desk {
    struct exchange_maker *maker;
    pthread_mutex_t lock; /* of all below, and of the lines */
    pthread_cond_t work;
    struct list jobs; /* by their turns */
    struct list all;  /* exchanges, the oldest first */
    size_t exchanges;
    struct shares shares;
    size_t threads, idle;
    char bytes[LOGIN_DATAGRAM_MAX];
};

static void wipe_response(struct one *o)
{
    wipe_buf(&o->response);
}

static void answer(int socket, const struct login_answer *said)
{
    struct buf out = {0};
    login_answer_format(&out, said);
    if (!out.failed) {
        (void)!send(socket, out.ptr, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    buf_done(&out);
}

static void answer_later(int socket, uint32_t id)
{
    struct login_answer said = {.id = id, .result = LOGIN_LATER};
    answer(socket, &said);
}

/* With the lock. */
static void forget(struct desk *desk, struct one *o)
{
    struct line *line = o->line;
    list_remove(&o->node);
    list_remove(&o->age);
    list_remove(&o->job);
    o->share->open--;
    exchange_free(o->exchange);
    wipe_response(o);
    free(o);
    desk->exchanges--;
    if (line->closed && list_empty(&line->exchanges)) {
        close(line->socket);
        free(line);
    }
}

/* A thread's work: one step. Called with the lock, and does without it meanwhile; the answer is
 * sent with it, for the next question may come at once. */
static void step(struct desk *desk, struct one *o)
{
    struct buf challenge = {0}, user = {0};
    struct login_answer said = {.id = o->id};
    pthread_mutex_unlock(&desk->lock);
    said.result = exchange_step(o->exchange, buf_str(&o->response), &challenge, &user);
    said.challenge = buf_str(&challenge);
    said.user = str_head(buf_str(&user), LOGIN_RESPONSE_MAX);
    wipe_response(o);
    pthread_mutex_lock(&desk->lock);
    answer(o->line->socket, &said);
    buf_done(&challenge);
    buf_done(&user);
}

/* The next exchange to work for; null where there has been none for long. With the lock. */
static struct one *wait_for_work(struct desk *desk)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += IDLE_S;
    while (list_empty(&desk->jobs)) {
        desk->idle++;
        int error = pthread_cond_timedwait(&desk->work, &desk->lock, &until);
        desk->idle--;
        if (error == ETIMEDOUT && list_empty(&desk->jobs)) {
            return NULL;
        }
    }
    struct one *next = CONTAINER_OF(list_pop(&desk->jobs), struct one, job);
    shares_begin(&desk->shares, next->turn);
    return next;
}

static void *serve(void *argument)
{
    struct desk *desk = argument;
    pthread_mutex_lock(&desk->lock);
    for (struct one *o; (o = wait_for_work(desk));) {
        if (!o->ended) {
            step(desk, o);
        }
        o->working = false;
        if (o->ended) {
            forget(desk, o);
        }
    }
    desk->threads--;
    pthread_mutex_unlock(&desk->lock);
    return NULL;
}

/* With the lock. Where there is no thread at all, and none can be had, nobody would answer. */
static bool call_thread(struct desk *desk)
{
    pthread_t thread;
    if (desk->idle > 0) {
        pthread_cond_signal(&desk->work);
    }
    if (desk->idle == 0 && desk->threads < LOGIN_THREADS_MAX &&
        pthread_create(&thread, NULL, serve, desk) == 0) {
        pthread_detach(thread);
        desk->threads++;
    }
    return desk->threads > 0;
}

static struct one *find(struct line *line, uint32_t id)
{
    LIST_EACH (node, &line->exchanges) {
        struct one *o = CONTAINER_OF(node, struct one, node);
        if (o->id == id) {
            return o;
        }
    }
    return NULL;
}

/* The oldest of the network that has most, of those that wait for a client. Null: none does. */
static struct one *idle_one_too_many(struct desk *desk)
{
    struct one *most = NULL;
    LIST_EACH (node, &desk->all) {
        struct one *o = CONTAINER_OF(node, struct one, age);
        if (!o->working && (!most || o->share->open > most->share->open)) {
            most = o;
        }
    }
    return most;
}

/* When there is no room for one more from a network: who waits for a client will hear that it is
 * over at his next step. Where all wait for us, the last in the queue goes, if the newcomer's turn
 * comes earlier. */
static void make_room(struct desk *desk, const struct share *newcomer)
{
    struct one *o = idle_one_too_many(desk);
    if (!o && !list_empty(&desk->jobs)) {
        struct one *last = CONTAINER_OF(desk->jobs.prev, struct one, job);
        o = last->share->open > newcomer->open + 1 ? last : NULL;
        if (o) {
            answer_later(o->line->socket, o->id);
        }
    }
    if (o) {
        forget(desk, o);
    }
}

static struct one *begin(struct desk *desk, struct line *line, const struct login_question *asked)
{
    struct login_facts facts = {.encrypted = asked->encrypted,
                                .exporter = asked->exporter,
                                .mechanism = sasl_mechanisms[asked->kind].name};
    struct share *share = shares_of(&desk->shares, asked->network);
    if (desk->exchanges == LOGIN_EXCHANGES_MAX) {
        make_room(desk, share);
    }
    struct one *o = desk->exchanges < LOGIN_EXCHANGES_MAX ? calloc(1, sizeof *o) : NULL;
    if (!o || exchange_new(desk->maker, &facts, &o->exchange) != 0) {
        free(o);
        return NULL;
    }
    o->id = asked->id;
    o->line = line;
    o->share = share;
    list_prepend(&line->exchanges, &o->node);
    list_append(&desk->all, &o->age);
    share->open++;
    desk->exchanges++;
    return o;
}

static void end(struct desk *desk, struct one *o)
{
    o->ended = true;
    if (!o->working) {
        forget(desk, o);
    }
}

/* With the lock. Most come after all others: those of who has just brought many. */
static void line_up(struct desk *desk, struct one *o)
{
    o->turn = shares_turn(&desk->shares, o->share);
    struct list *at = &desk->jobs;
    while (at->prev != &desk->jobs && CONTAINER_OF(at->prev, struct one, job)->turn > o->turn) {
        at = at->prev;
    }
    list_insert_before(at, &o->job);
}

/* With the lock. */
static void take(struct desk *desk, struct line *line, const struct login_question *asked)
{
    struct one *o = find(line, asked->id);
    if (asked->asked == LOGIN_PING) {
        answer(line->socket, &(struct login_answer){.id = asked->id, .result = LOGIN_MORE});
        return;
    }
    if (asked->asked == LOGIN_END) {
        if (o) {
            end(desk, o);
        }
        return;
    }
    if ((asked->asked == LOGIN_BEGIN && o) || (o && o->working)) {
        return; /* no question that the worker asks */
    }
    o = asked->asked == LOGIN_BEGIN ? begin(desk, line, asked) : o; /* it may have had to go */
    if (!o) {
        answer_later(line->socket, asked->id);
        return;
    }
    buf_clear(&o->response);
    buf_add(&o->response, asked->response);
    line_up(desk, o);
    o->working = true;
    if (o->response.failed || !call_thread(desk)) {
        list_remove(&o->job);
        o->working = false;
        answer_later(line->socket, asked->id);
    }
}

/* With the lock. The line goes with its last exchange. */
static void close_line(struct desk *desk, struct line *line)
{
    LIST_EACH (node, &line->exchanges) {
        end(desk, CONTAINER_OF(node, struct one, node));
    }
    line->closed = true;
    if (list_empty(&line->exchanges)) {
        close(line->socket);
        free(line);
    }
}

/* False when the other side is gone. What is no question is passed over. */
static bool hear(struct desk *desk, struct line *line)
{
    struct login_question asked;
    ssize_t got = recv(line->socket, desk->bytes, sizeof desk->bytes, MSG_DONTWAIT | MSG_TRUNC);
    bool there = got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
    pthread_mutex_lock(&desk->lock);
    if (got > 0 && (size_t)got <= sizeof desk->bytes &&
        login_question_parse(str_from(desk->bytes, (size_t)got), &asked)) {
        take(desk, line, &asked);
    } else if (!there) {
        close_line(desk, line);
    }
    pthread_mutex_unlock(&desk->lock);
    explicit_bzero(desk->bytes, got > 0 ? sizeof desk->bytes : 0);
    return there;
}

/* One more socket in `*line`, or null; false when nobody can bring another. */
static bool open_door(int door, struct line **line)
{
    struct message message;
    int error = channel_receive(door, &message);
    *line = NULL;
    if (error == 0 && message.descriptor >= 0) {
        struct line *made = calloc(1, sizeof *made);
        if (made) {
            made->socket = message.descriptor;
            list_init(&made->exchanges);
            *line = made;
        } else {
            close(message.descriptor);
        }
    }
    return error == 0 || error == -EAGAIN || error == -EPROTO;
}

static void listen_to_all(struct desk *desk, int door)
{
    struct pollfd waits[1 + LOGIN_SOCKETS_MAX] = {{.fd = door, .events = POLLIN}};
    struct line *lines[1 + LOGIN_SOCKETS_MAX];
    size_t count = 0; /* of the sockets, behind the door */
    while (waits[0].fd >= 0 || count > 0) {
        waits[0].events = count < LOGIN_SOCKETS_MAX ? POLLIN : 0;
        if (poll(waits, (nfds_t)(count + 1), -1) < 0) {
            continue;
        }
        for (size_t i = count; i > 0; i--) {
            if (waits[i].revents != 0 && !hear(desk, lines[i])) {
                waits[i] = waits[count];
                lines[i] = lines[count--];
            }
        }
        struct line *line = NULL;
        if (waits[0].revents != 0 && !open_door(door, &line)) {
            waits[0].fd = -1;
        }
        if (line) {
            waits[++count] = (struct pollfd){.fd = line->socket, .events = POLLIN};
            lines[count] = line;
        }
    }
}

int login_process_run(struct exchange_maker *maker, int door)
{
    struct desk *desk = calloc(1, sizeof *desk);
    if (!desk) {
        return -ENOMEM;
    }
    desk->maker = maker;
    list_init(&desk->jobs);
    list_init(&desk->all);
    pthread_mutex_init(&desk->lock, NULL);
    pthread_cond_init(&desk->work, NULL);
    listen_to_all(desk, door);
    return 0; /* threads may still be at an exchange that nobody waits for: the desk stays */
}
