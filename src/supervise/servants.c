#include "supervise/servants.h"

#include "supervise/channel.h"
#include "supervise/pause.h"
#include "supervise/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/* One that dies sooner has failed again. */
#define SHORT_LIFE_US INT64_C(1000000)
/* One that is younger is not called stuck: it has just taken the place of one that was. */
#define NEW_US INT64_C(1500000)

/* Events by role. */
static const struct {
    const char *started, *died, *stuck;
} words[SERVANT_ROLES] = {
    [SERVANT_RUNNER] = {"runner-started", "runner-died", "runner-stuck"},
    [SERVANT_POSTMAN] = {"postman-started", "postman-died", "postman-stuck"},
    [SERVANT_KEYS] = {"keys-started", "keys-died", "keys-stuck"},
    [SERVANT_DKIM] = {"keys-started", "keys-died", "keys-stuck"},
    [SERVANT_LOGIN] = {"login-started", "login-died", "login-stuck"},
};

static const struct servant_door no_door = {.end = -1};

void servants_init(struct servants *s)
{
    for (size_t i = 0; i < SERVANT_ROLES; i++) {
        s->doors[i] = no_door;
    }
    s->next_keys = no_door;
}

static void close_door(struct servant_door *door)
{
    if (door->end >= 0) {
        close(door->end);
        door->end = -1;
    }
}

void servants_renew(struct servants *s, enum servant_role role)
{
    close_door(&s->doors[role]);
}

void servants_close(struct servants *s)
{
    for (size_t i = 0; i < SERVANT_ROLES; i++) {
        close_door(&s->doors[i]);
    }
    close_door(&s->next_keys);
}

static struct servant *find(struct servants *s, pid_t process)
{
    for (size_t i = 0; i < SERVANTS_MAX; i++) {
        if (s->all[i].process == process) {
            return &s->all[i];
        }
    }
    return NULL;
}

_Noreturn void servant_become(char *const *arguments, int channel)
{
    sigset_t unblocked;
    sigemptyset(&unblocked);
    sigaddset(&unblocked, SIGCHLD);
    if (sigprocmask(SIG_UNBLOCK, &unblocked, NULL) == 0 &&
        (channel == SUPERVISOR_CHANNEL || dup2(channel, SUPERVISOR_CHANNEL) >= 0)) {
        (void)fcntl(SUPERVISOR_CHANNEL, F_SETFD, 0);
        execv("/proc/self/exe", arguments);
    }
    _exit(EX_OSERR);
}

/* The socket of a new one, or -errno. It needs no order to end: it does when nobody holds the other
 * end of its sockets. A write to our end does not block, for a process may be stopped. */
static int start(struct servants *s, enum servant_role role, pid_t *process)
{
    int ends[2];
    struct servant *place = find(s, 0);
    if (!place || monotonic_now_us() < s->trials[role].next_at) {
        return -EAGAIN;
    }
    int error = channel_pair(ends);
    if (error) {
        return error;
    }
    pid_t made = fork();
    if (made == 0) {
        servant_become(s->arguments[role], ends[1]);
    }
    error = made < 0 ? -errno : 0;
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return error;
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *place = (struct servant){.process = made, .role = role, .started_at = monotonic_now_us()};
    *process = made;
    log_event(s->log, LOG_DEBUG, words[role].started, F_INT("pid", made));
    return ends[0];
}

/* Through the door goes one end of a pair of sockets; the other is returned, or -errno. */
static int connect_to(struct servants *s, enum servant_role role)
{
    int ends[2];
    struct servant_door *door = &s->doors[role];
    if (door->end < 0) {
        door->end = start(s, role, &door->process);
    }
    int error = door->end < 0 ? door->end : channel_pair(ends);
    if (error) {
        return error;
    }
    struct message message = {.kind = MESSAGE_SOCKET, .descriptor = ends[1]};
    error = channel_send(door->end, &message);
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return error;
    }
    return ends[0];
}

/* Whoever called it stuck has waited longer than anything that it does takes. */
static void replace(struct servants *s, enum servant_role role)
{
    pid_t process = s->doors[role].process;
    const struct servant *old = process > 0 ? find(s, process) : NULL;
    if (!old || monotonic_now_us() - old->started_at < NEW_US) {
        return;
    }
    log_event(s->log, LOG_ERROR, words[role].stuck, F_INT("pid", old->process));
    kill(old->process, SIGKILL);
    close_door(&s->doors[role]);
}

int servants_get(struct servants *s, enum servant_role role, bool stuck)
{
    bool own = role == SERVANT_RUNNER || role == SERVANT_POSTMAN; /* and no door then */
    if (stuck) {
        replace(s, role);
    }
    return own ? start(s, role, &s->doors[role].process) : connect_to(s, role);
}

int servants_read_keys(struct servants *s)
{
    struct servant_door *next = &s->next_keys;
    close_door(next); /* it has read what is old by now */
    next->end = start(s, SERVANT_KEYS, &next->process);
    return next->end < 0 ? next->end : 0;
}

bool servants_keys_read(struct servants *s)
{
    struct message message;
    int error = channel_receive(s->next_keys.end, &message);
    if (error || message.kind != MESSAGE_READY || message.error) {
        close_door(&s->next_keys);
        return false;
    }
    close_door(&s->doors[SERVANT_KEYS]); /* that one ends when the worker lets go of it */
    s->doors[SERVANT_KEYS] = s->next_keys;
    s->next_keys = no_door;
    return true;
}

static void note_failure(struct servants *s, const struct servant *ended, int status)
{
    int64_t now = monotonic_now_us();
    bool soon = now - ended->started_at < SHORT_LIFE_US;
    unsigned failures = soon ? s->trials[ended->role].failures + 1 : 1;
    struct span pause = restart_pause(failures);
    s->trials[ended->role].failures = failures;
    s->trials[ended->role].next_at = now + pause.us;
    log_event(s->log, LOG_ERROR, words[ended->role].died, F_INT("pid", ended->process),
              F_INT("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
              F_INT("exit", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
              F_INT("not_again_for_ms", pause.us / 1000));
}

void servants_ended(struct servants *s, pid_t process, int status)
{
    struct servant *ended = find(s, process);
    if (!ended) {
        return;
    }
    for (size_t i = 0; i < SERVANT_ROLES; i++) {
        if (process == s->doors[i].process) {
            close_door(&s->doors[i]);
            s->doors[i].process = 0;
        }
    }
    if (status != 0) {
        note_failure(s, ended, status);
    }
    ended->process = 0;
}
