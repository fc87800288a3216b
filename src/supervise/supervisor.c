#include "supervise/supervisor.h"

#include "core/base/instant.h"
#include "supervise/channel.h"
#include "supervise/kept_sockets.h"
#include "supervise/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* A worker that dies sooner after it was ready has failed again. */
#define SHORT_LIFE_US INT64_C(200000)

enum { SERVANTS_MAX = 32 };

/* A process that all sockets to it go to: they come through its door. */
struct doored {
    char *const *arguments;
    const char *started, *died; /* events */
    int door;                   /* -1: none */
    pid_t process;              /* 0: none */
};

enum { KEYS, DKIM, LOGIN, DOORED };

struct supervisor {
    const struct supervisor_options *options;
    int signals;
    int channel; /* -1: no worker */
    pid_t worker;
    int64_t ready_at;             /* monotonic; 0: this worker is not yet */
    int64_t next_at;              /* monotonic: when to start the next one; 0: one runs */
    pid_t servants[SERVANTS_MAX]; /* 0: none; an old one may be at its last work */
    struct doored doored[DOORED];
    struct doored next_keys; /* is to take the place of doored[KEYS], once it has read its keys */
    unsigned started;
    unsigned failures; /* in a row */
    bool was_ready;    /* any worker */
    bool stopping;
    bool ended;
    int exit_code;
};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct span supervisor_pause(unsigned failures)
{
    enum { AT_ONCE = 3, FIRST_MS = 100, LONGEST_MS = 10000 };
    if (failures <= AT_ONCE) {
        return SPAN_MS(0);
    }
    unsigned doubled = failures - AT_ONCE - 1;
    int64_t pause = doubled < 7 ? FIRST_MS << doubled : LONGEST_MS;
    return SPAN_MS(pause < LONGEST_MS ? pause : LONGEST_MS);
}

static void end(struct supervisor *s, int code)
{
    s->ended = true;
    s->exit_code = code;
}

/* The signals stay blocked in the worker until it watches them itself: none is lost, and none ends
 * it half started. */
static _Noreturn void become(char *const *arguments, int channel)
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

/* The worker dies with us. */
static _Noreturn void become_worker(const struct supervisor *s, int channel, pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
        _exit(EX_OSERR);
    }
    become(s->options->worker, channel);
}

static int start(struct supervisor *s)
{
    int ends[2];
    int error = channel_pair(ends);
    if (error) {
        return error;
    }
    (void)fcntl(ends[0], F_SETFL,
                O_NONBLOCK); /* a worker that does not read shall not hold us up */
    pid_t parent = getpid();
    pid_t worker = fork();
    if (worker == 0) {
        become_worker(s, ends[1], parent);
    }
    error = worker < 0 ? -errno : 0;
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return error;
    }
    kept_sockets_begin(s->options->kept);
    s->channel = ends[0];
    s->worker = worker;
    s->ready_at = s->next_at = 0;
    s->started++;
    log_event(s->options->log, LOG_INFO, "worker-started", F_INT("pid", worker),
              F_INT("count", s->started));
    return 0;
}

static void failed(struct supervisor *s)
{
    s->failures++;
    s->next_at = now_us() + supervisor_pause(s->failures).us;
}

static void start_or_try_later(struct supervisor *s)
{
    int error = start(s);
    if (error == 0) {
        return;
    }
    log_event(s->options->log, LOG_ERROR, "worker-failed",
              F_STR("reason", str_from_cstr(strerror(-error))));
    if (s->was_ready) {
        failed(s);
    } else {
        end(s, EX_OSERR);
    }
}

/* The socket of a new one, or -errno. It needs no order to end: it does when nobody holds the other
 * end of its sockets. */
static int start_servant(struct supervisor *s, char *const *arguments, const char *event,
                         pid_t *process)
{
    size_t at = 0;
    int ends[2];
    while (at < SERVANTS_MAX && s->servants[at] != 0) {
        at++;
    }
    int error = at < SERVANTS_MAX ? channel_pair(ends) : -EAGAIN;
    if (error) {
        return error;
    }
    *process = fork();
    if (*process == 0) {
        become(arguments, ends[1]);
    }
    error = *process < 0 ? -errno : 0;
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return error;
    }
    s->servants[at] = *process;
    log_event(s->options->log, LOG_DEBUG, event, F_INT("pid", *process));
    return ends[0];
}

static int start_runner(struct supervisor *s)
{
    pid_t process;
    return start_servant(s, s->options->runner, "runner-started", &process);
}

static int start_postman(struct supervisor *s)
{
    pid_t process;
    return start_servant(s, s->options->postman, "postman-started", &process);
}

static void close_door(struct doored *d)
{
    if (d->door >= 0) {
        close(d->door);
        d->door = -1;
    }
}

static void tell_worker(const struct supervisor *s, int number)
{
    if (s->worker > 0) {
        kill(s->worker, number);
    }
}

static void keep_certificates(struct supervisor *s, struct str reason)
{
    close_door(&s->next_keys);
    log_event(s->options->log, LOG_ERROR, "certificates-kept", F_STR("reason", reason));
}

/* The keys in use stay where they are until those of the new files are known to be right. */
static void renew_certificates(struct supervisor *s)
{
    struct doored *next = &s->next_keys;
    close_door(next); /* it has read what is old by now */
    if (!s->options->keys_apart(s->options->owner)) {
        close_door(&s->doored[KEYS]);
        tell_worker(s, SUPERVISOR_RENEW);
        return;
    }
    next->door = start_servant(s, next->arguments, next->started, &next->process);
    if (next->door < 0) {
        keep_certificates(s, str_from_cstr(strerror(-next->door)));
    }
}

static void hear_next_keys(struct supervisor *s)
{
    struct message message;
    int error = channel_receive(s->next_keys.door, &message);
    if (error || message.kind != MESSAGE_READY || message.error) {
        keep_certificates(s, STR("they cannot be used, as told before"));
        return;
    }
    close_door(&s->doored[KEYS]); /* that one ends when the worker lets go of it */
    s->doored[KEYS] = s->next_keys;
    s->next_keys.door = -1;
    s->next_keys.process = 0;
    tell_worker(s, SUPERVISOR_RENEW);
}

static void close_doors(struct supervisor *s)
{
    for (size_t i = 0; i < DOORED; i++) {
        close_door(&s->doored[i]);
    }
}

/* A socket to the process, which gets the other end through its door. */
static int connect_to(struct supervisor *s, struct doored *d)
{
    int ends[2];
    if (d->door < 0) {
        d->door = start_servant(s, d->arguments, d->started, &d->process);
    }
    int error = d->door < 0 ? d->door : channel_pair(ends);
    if (error) {
        return error;
    }
    struct message message = {.kind = MESSAGE_SOCKET, .descriptor = ends[1]};
    error = channel_send(d->door, &message);
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return error;
    }
    return ends[0];
}

static void answer_by(struct supervisor *s, int descriptor)
{
    struct message reply = {.kind = MESSAGE_SOCKET, .descriptor = descriptor};
    if (descriptor < 0) {
        reply.error = descriptor;
    }
    (void)!channel_send(s->channel, &reply);
    if (descriptor >= 0) {
        close(descriptor);
    }
}

static void servant_ended(struct supervisor *s, pid_t servant, int status)
{
    const char *died = "runner-died";
    for (size_t i = 0; i < DOORED; i++) {
        if (servant == s->doored[i].process) {
            close_door(&s->doored[i]);
            s->doored[i].process = 0;
            died = s->doored[i].died;
        }
    }
    if (servant == s->next_keys.process) {
        died = s->next_keys.died;
    }
    for (size_t i = 0; i < SERVANTS_MAX; i++) {
        if (s->servants[i] != servant) {
            continue;
        }
        s->servants[i] = 0;
        if (status != 0) {
            log_event(s->options->log, LOG_ERROR, died,
                      F_INT("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
                      F_INT("exit", WIFEXITED(status) ? WEXITSTATUS(status) : -1));
        }
    }
}

static void answer(struct supervisor *s, const struct message *asked)
{
    struct listening_place place = {.at = asked->at, .local_path = asked->local_path};
    struct message reply = {.kind = MESSAGE_SOCKET, .descriptor = -1};
    int got = s->options->allows(s->options->owner, place)
                  ? kept_sockets_get(s->options->kept, asked->loop, place)
                  : -EACCES;
    if (got < 0) {
        reply.error = got;
    } else {
        reply.descriptor = got;
    }
    (void)!channel_send(s->channel, &reply);
}

static void close_channel(struct supervisor *s)
{
    if (s->channel >= 0) {
        close(s->channel);
        s->channel = -1;
    }
}

/* One message; false where there is none. */
static bool hear(struct supervisor *s)
{
    struct message message;
    int error = s->channel < 0 ? -EAGAIN : channel_receive(s->channel, &message);
    if (error == -EPIPE) {
        close_channel(s); /* it is about to end */
    }
    if (error) {
        return error == -EPROTO; /* nonsense is passed over */
    }
    switch (message.kind) {
    case MESSAGE_LISTEN:
        answer(s, &message);
        break;
    case MESSAGE_RELEASE:
        kept_sockets_release(
            s->options->kept, message.loop,
            (struct listening_place){.at = message.at, .local_path = message.local_path});
        break;
    case MESSAGE_RUNNER:
        answer_by(s, start_runner(s));
        break;
    case MESSAGE_POSTMAN:
        answer_by(s, start_postman(s));
        break;
    case MESSAGE_KEYS:
        answer_by(s, connect_to(s, &s->doored[KEYS]));
        break;
    case MESSAGE_DKIM:
        answer_by(s, connect_to(s, &s->doored[DKIM]));
        break;
    case MESSAGE_LOGIN:
        answer_by(s, connect_to(s, &s->doored[LOGIN]));
        break;
    case MESSAGE_RELOADED:
        notify(NOTIFY_READY);
        break;
    case MESSAGE_READY:
        notify(NOTIFY_READY);
        kept_sockets_sweep(s->options->kept);
        s->ready_at = now_us();
        if (!s->was_ready) {
            s->was_ready = true;
            s->options->ready(s->options->owner);
        }
        break;
    case MESSAGE_SOCKET:
    case MESSAGE_KINDS:
        break; /* not for us: ignored */
    }
    return true;
}

static void worker_ended(struct supervisor *s, int status)
{
    bool by_signal = WIFSIGNALED(status);
    int code = by_signal ? EX_SOFTWARE : WEXITSTATUS(status);
    while (hear(s)) {}
    close_channel(s);
    s->worker = 0;
    if (!by_signal && code == SUPERVISOR_AGAIN && s->was_ready && !s->stopping) {
        s->next_at = now_us();
        return;
    }
    if (by_signal || (code != 0 && s->was_ready)) {
        log_event(s->options->log, LOG_ERROR, "worker-died",
                  F_INT("signal", by_signal ? WTERMSIG(status) : 0),
                  F_INT("exit", by_signal ? -1 : code));
    } else {
        end(s, code);
    }
    if (s->stopping) {
        end(s, code);
    }
    if (s->ended) {
        return;
    }
    if (s->ready_at != 0 && now_us() - s->ready_at > SHORT_LIFE_US) {
        s->failures = 0;
    }
    failed(s);
}

/* All that ended: as the first process of a container we are also the parent of orphans. */
static void bury(struct supervisor *s)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid == s->worker) {
            worker_ended(s, status);
        } else {
            servant_ended(s, pid, status);
        }
    }
}

static void pass_on(struct supervisor *s, int number)
{
    bool reloaded = false;
    notify(number == SIGHUP ? NOTIFY_RELOADING : NOTIFY_STOPPING);
    if (number == SIGHUP) {
        reloaded = s->options->reload(s->options->owner);
        close_door(&s->doored[DKIM]); /* the next ones read the new configuration */
        close_door(&s->doored[LOGIN]);
    } else {
        s->stopping = true;
    }
    if (s->worker > 0) {
        kill(s->worker, number);
    } else if (s->stopping) {
        end(s, EX_OK); /* between two workers: all there is is on disk */
    }
    if (reloaded) {
        renew_certificates(s);
    }
}

static void take_signals(struct supervisor *s)
{
    struct signalfd_siginfo info;
    while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD) {
            bury(s);
        } else {
            pass_on(s, (int)info.ssi_signo);
        }
    }
}

static int patience_ms(const struct supervisor *s)
{
    int64_t look_at = s->options->certificates->look_at_us;
    int64_t first =
        s->next_at == 0 || (look_at != 0 && look_at < s->next_at) ? look_at : s->next_at;
    if (first == 0) {
        return -1;
    }
    int64_t left = first - now_us();
    return left <= 0 ? 0 : (int)(left / 1000) + 1;
}

static void look_at_certificates(struct supervisor *s, bool reported)
{
    struct file_watch *watch = s->options->certificates;
    if (reported) {
        file_watch_reported(watch, now_us());
    }
    if (watch->look_at_us != 0 && now_us() >= watch->look_at_us &&
        file_watch_look(watch, now_us())) {
        renew_certificates(s);
    }
}

static void turn(struct supervisor *s)
{
    struct pollfd waits[4] = {{.fd = s->signals, .events = POLLIN},
                              {.fd = s->channel, .events = POLLIN},
                              {.fd = s->next_keys.door, .events = POLLIN},
                              {.fd = s->options->certificates->reports, .events = POLLIN}};
    (void)poll(waits, ARRAY_LEN(waits), patience_ms(s));
    if (waits[2].revents) {
        hear_next_keys(s);
    }
    look_at_certificates(s, waits[3].revents != 0);
    if (waits[1].revents) {
        (void)!hear(s);
    }
    take_signals(s);
    if (!s->ended && s->next_at != 0 && now_us() >= s->next_at) {
        start_or_try_later(s);
    }
}

static int watch_signals(struct supervisor *s)
{
    static const int numbers[] = {SIGHUP, SIGTERM, SIGINT, SIGCHLD};
    sigset_t watched;
    sigemptyset(&watched);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        signal(numbers[i], SIG_DFL); /* who started us may have had them ignored */
        sigaddset(&watched, numbers[i]);
    }
    sigset_t blocked = watched;
    sigaddset(&blocked, SUPERVISOR_RENEW); /* a new worker shall not end by it */
    if (sigprocmask(SIG_BLOCK, &blocked, NULL) != 0) {
        return -errno;
    }
    s->signals = signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC);
    return s->signals < 0 ? -errno : 0;
}

int supervise(const struct supervisor_options *options)
{
    struct supervisor s = {
        .options = options,
        .channel = -1,
        .doored = {[KEYS] = {options->keys, "keys-started", "keys-died", -1, 0},
                   [DKIM] = {options->dkim, "keys-started", "keys-died", -1, 0},
                   [LOGIN] = {options->login, "login-started", "login-died", -1, 0}}};
    s.next_keys = s.doored[KEYS];
    if (watch_signals(&s) != 0) {
        return EX_OSERR;
    }
    notify_open();
    start_or_try_later(&s);
    while (!s.ended) {
        turn(&s);
    }
    close_door(&s.next_keys);
    close_doors(&s);
    close(s.signals);
    return s.exit_code;
}
