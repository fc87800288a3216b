#include "supervise/supervisor.h"

#include "core/base/instant.h"
#include "supervise/channel.h"
#include "supervise/kept_sockets.h"
#include "supervise/notify.h"
#include "supervise/pause.h"
#include "supervise/servants.h"

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

struct supervisor {
    const struct supervisor_options *options;
    int signals;
    int channel; /* -1: no worker */
    pid_t worker;
    int64_t ready_at; /* monotonic; 0: this worker is not yet */
    int64_t next_at;  /* monotonic: when to start the next one; 0: one runs */
    struct servants servants;
    unsigned started;
    unsigned failures; /* in a row */
    bool was_ready;    /* any worker */
    bool stopping;
    bool ended;
    int exit_code;
};

static void end(struct supervisor *s, int code)
{
    s->ended = true;
    s->exit_code = code;
}

/* The worker dies with us. */
static _Noreturn void become_worker(const struct supervisor *s, int channel, pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
        _exit(EX_OSERR);
    }
    servant_become(s->options->worker, channel);
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
    s->next_at = monotonic_now_us() + restart_pause(s->failures).us;
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

static void tell_worker(const struct supervisor *s, int number)
{
    if (s->worker > 0) {
        kill(s->worker, number);
    }
}

static void keep_certificates(struct supervisor *s, struct str reason)
{
    log_event(s->options->log, LOG_ERROR, "certificates-kept", F_STR("reason", reason));
}

/* The keys in use stay where they are until those of the new files are known to be right. */
static void renew_certificates(struct supervisor *s)
{
    if (!s->options->keys_apart(s->options->owner)) {
        servants_renew(&s->servants, SERVANT_KEYS);
        tell_worker(s, SUPERVISOR_RENEW);
        return;
    }
    int error = servants_read_keys(&s->servants);
    if (error) {
        keep_certificates(s, str_from_cstr(strerror(-error)));
    }
}

static void hear_next_keys(struct supervisor *s)
{
    if (servants_keys_read(&s->servants)) {
        tell_worker(s, SUPERVISOR_RENEW);
    } else {
        keep_certificates(s, STR("they cannot be used, as told before"));
    }
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

static const enum servant_role roles[MESSAGE_KINDS] = {
    [MESSAGE_RUNNER] = SERVANT_RUNNER, [MESSAGE_POSTMAN] = SERVANT_POSTMAN,
    [MESSAGE_KEYS] = SERVANT_KEYS,     [MESSAGE_DKIM] = SERVANT_DKIM,
    [MESSAGE_LOGIN] = SERVANT_LOGIN,
};

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
    case MESSAGE_POSTMAN:
    case MESSAGE_KEYS:
    case MESSAGE_DKIM:
    case MESSAGE_LOGIN:
        answer_by(s, servants_get(&s->servants, roles[message.kind], message.error != 0));
        break;
    case MESSAGE_RELOADED:
        notify(NOTIFY_READY);
        break;
    case MESSAGE_READY:
        notify(NOTIFY_READY);
        kept_sockets_sweep(s->options->kept);
        s->ready_at = monotonic_now_us();
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
        s->next_at = monotonic_now_us();
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
    if (s->ready_at != 0 && monotonic_now_us() - s->ready_at > SHORT_LIFE_US) {
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
            servants_ended(&s->servants, pid, status);
        }
    }
}

static void pass_on(struct supervisor *s, int number)
{
    bool reloaded = false;
    notify(number == SIGHUP ? NOTIFY_RELOADING : NOTIFY_STOPPING);
    if (number == SIGHUP) {
        reloaded = s->options->reload(s->options->owner);
        servants_renew(&s->servants, SERVANT_DKIM); /* the next ones read the new configuration */
        servants_renew(&s->servants, SERVANT_LOGIN);
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
    int64_t left = first - monotonic_now_us();
    return left <= 0 ? 0 : (int)(left / 1000) + 1;
}

static void look_at_certificates(struct supervisor *s, bool reported)
{
    struct file_watch *watch = s->options->certificates;
    if (reported) {
        file_watch_reported(watch, monotonic_now_us());
    }
    if (watch->look_at_us != 0 && monotonic_now_us() >= watch->look_at_us &&
        file_watch_look(watch, monotonic_now_us())) {
        renew_certificates(s);
    }
}

static void turn(struct supervisor *s)
{
    struct pollfd waits[4] = {{.fd = s->signals, .events = POLLIN},
                              {.fd = s->channel, .events = POLLIN},
                              {.fd = s->servants.next_keys.end, .events = POLLIN},
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
    if (!s->ended && s->next_at != 0 && monotonic_now_us() >= s->next_at) {
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
    struct supervisor s = {.options = options,
                           .channel = -1,
                           .servants = {.log = options->log,
                                        .arguments = {[SERVANT_RUNNER] = options->runner,
                                                      [SERVANT_POSTMAN] = options->postman,
                                                      [SERVANT_KEYS] = options->keys,
                                                      [SERVANT_DKIM] = options->dkim,
                                                      [SERVANT_LOGIN] = options->login}}};
    servants_init(&s.servants);
    if (watch_signals(&s) != 0) {
        return EX_OSERR;
    }
    notify_open();
    start_or_try_later(&s);
    while (!s.ended) {
        turn(&s);
    }
    servants_close(&s.servants);
    close(s.signals);
    return s.exit_code;
}
