#include "runner/runner.h"

#include "runner/permitted.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum { INPUT, OUTPUT, TOLD, DESCRIPTORS };

struct program {
    pid_t process; /* and its group's */
    int told;      /* where its end is told; the other side's end is the order to kill it */
    bool killed;
};

struct runner {
    const struct config *config;
    const struct runner_work *work;
    int signals;
    bool closed; /* no more orders */
    size_t count;
    struct program programs[RUNNER_PROGRAMS_MAX];
    struct pollfd waits[RUNNER_PROGRAMS_MAX + 2];
    char bytes[ORDER_BYTES_MAX];
};

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
};

static void tell(int told, struct program_end end)
{
    (void)!send(told, &end, sizeof end, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(told);
}

/* Between fork() and exec: what a program finds. What could not be done is written to `report`. */
static _Noreturn void become(const struct runner *r, const struct order *order,
                             const int descriptors[DESCRIPTORS], int report)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < 32; number++) {
        (void)signal(number, SIG_DFL);
    }
    int error = 0;
    if (setsid() < 0 || sigprocmask(SIG_SETMASK, &none, NULL) != 0 || chdir("/") != 0 ||
        dup2(descriptors[INPUT], 0) < 0 || dup2(descriptors[OUTPUT], 1) < 0 ||
        dup2(descriptors[OUTPUT], 2) < 0) {
        error = errno;
    }
    if (error == 0 && r->work->child) {
        (void)close_range(3, ~0U, 0);
        r->work->child(r->config, order);
        _exit(EX_SOFTWARE);
    }
    (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (error == 0) {
        execve(order->argv[0], (char *const *)(uintptr_t)order->argv,
               (char *const *)(uintptr_t)order->environment);
        error = errno;
    }
    (void)!write(report, &error, sizeof error);
    _exit(127);
}

/* The process that runs it, or -errno: also where it could not be executed. */
static pid_t spawn(const struct runner *r, const struct order *order,
                   const int descriptors[DESCRIPTORS])
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) {
        return -errno;
    }
    pid_t process = fork();
    if (process == 0) {
        become(r, order, descriptors, report[1]);
    }
    int error = process < 0 ? errno : 0;
    close(report[1]);
    if (error == 0 && read(report[0], &error, sizeof error) == (ssize_t)sizeof error) {
        (void)waitpid(process, NULL, 0);
    } else if (process > 0) {
        error = 0;
    }
    close(report[0]);
    return error ? -error : process;
}

static void carry_out(struct runner *r, struct str bytes, int descriptors[DESCRIPTORS])
{
    struct order order;
    int error = -EPERM;
    pid_t process = 0;
    if (order_parse(bytes, &order) && r->work->permitted(r->config, &order)) {
        process = spawn(r, &order, descriptors);
        error = process < 0 ? process : 0;
    }
    close(descriptors[INPUT]);
    close(descriptors[OUTPUT]);
    if (error) {
        tell(descriptors[TOLD], (struct program_end){.error = error, .exit_status = -1});
        return;
    }
    r->programs[r->count++] = (struct program){.process = process, .told = descriptors[TOLD]};
}

/* How many descriptors came; what comes in any other number is closed. */
static bool take_descriptors(struct msghdr *header, int descriptors[DESCRIPTORS])
{
    struct cmsghdr *rights = CMSG_FIRSTHDR(header);
    if (!rights || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS) {
        return false;
    }
    size_t bytes = rights->cmsg_len - CMSG_LEN(0);
    memcpy(descriptors, CMSG_DATA(rights), bytes);
    if (bytes == DESCRIPTORS * sizeof(int)) {
        return true;
    }
    for (size_t i = 0; i < bytes / sizeof(int); i++) {
        close(descriptors[i]);
    }
    return false;
}

static void take_order(struct runner *r)
{
    int descriptors[DESCRIPTORS] = {-1, -1, -1};
    union control control = {0};
    struct iovec vector = {.iov_base = r->bytes, .iov_len = sizeof r->bytes};
    struct msghdr header = {.msg_iov = &vector,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    ssize_t got = recvmsg(RUNNER_SOCKET, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        r->closed = true;
    } else if (got > 0 && take_descriptors(&header, descriptors)) {
        carry_out(r, str_from(r->bytes, header.msg_flags & MSG_TRUNC ? 0 : (size_t)got),
                  descriptors);
    }
}

static void ended(struct runner *r, pid_t process, int status)
{
    for (size_t i = 0; i < r->count; i++) {
        struct program *p = &r->programs[i];
        if (p->process == process) {
            bool signalled = WIFSIGNALED(status);
            tell(p->told, (struct program_end){.exit_status = signalled ? -1 : WEXITSTATUS(status),
                                               .signal = signalled ? WTERMSIG(status) : 0});
            *p = r->programs[--r->count];
            return;
        }
    }
}

static void bury(struct runner *r)
{
    struct signalfd_siginfo info;
    int status;
    while (read(r->signals, &info, sizeof info) > 0) {}
    for (pid_t process; (process = waitpid(-1, &status, WNOHANG)) > 0;) {
        ended(r, process, status);
    }
}

/* The other side has shut its end. Until waitpid() tells of it, the group's number is its own. */
static void kill_unwanted(struct runner *r, size_t programs)
{
    for (size_t i = 0; i < programs; i++) {
        struct program *p = &r->programs[i];
        if (r->waits[i + 2].revents != 0 && !p->killed) {
            p->killed = true;
            kill(-p->process, SIGKILL);
        }
    }
}

static void turn(struct runner *r)
{
    bool full = r->count == RUNNER_PROGRAMS_MAX; /* then orders wait in the socket */
    r->waits[0] = (struct pollfd){.fd = r->signals, .events = POLLIN};
    r->waits[1] = (struct pollfd){.fd = r->closed || full ? -1 : RUNNER_SOCKET, .events = POLLIN};
    size_t programs = r->count;
    for (size_t i = 0; i < programs; i++) {
        struct program *p = &r->programs[i];
        r->waits[i + 2] = (struct pollfd){.fd = p->killed ? -1 : p->told, .events = POLLIN};
    }
    if (poll(r->waits, (nfds_t)(programs + 2), -1) < 0) {
        return;
    }
    kill_unwanted(r, programs);
    if (r->waits[1].revents != 0) {
        take_order(r);
    }
    bury(r);
}

const struct runner_work runner_programs = {.permitted = program_is_permitted};

int runner_run(const struct config *config, const struct runner_work *work)
{
    struct runner *r = calloc(1, sizeof *r);
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    if (!r || sigprocmask(SIG_BLOCK, &children, NULL) != 0) {
        free(r);
        return EX_OSERR;
    }
    r->config = config;
    r->work = work;
    r->signals = signalfd(-1, &children, SFD_NONBLOCK | SFD_CLOEXEC);
    while (r->signals >= 0 && !(r->closed && r->count == 0)) {
        turn(r);
    }
    int code = r->signals < 0 ? EX_OSERR : EX_OK;
    if (r->signals >= 0) {
        close(r->signals);
    }
    free(r);
    return code;
}
