#include "fence/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, OTHER_PORT = 28999, NOBODY = 65534 };

static const char *outside_path;

static int result_of(long outcome)
{
    return outcome < 0 ? errno : 0;
}

static int close_after(int descriptor)
{
    int error = result_of(descriptor);
    if (descriptor >= 0) {
        close(descriptor);
    }
    return error;
}

static int read_outside(void)
{
    return close_after(open(outside_path, O_RDONLY | O_CLOEXEC));
}

static int write_outside(void)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s.made", outside_path);
    return close_after(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int remove_outside(void)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s.spare", outside_path);
    return result_of(unlink(path));
}

static int make_process(void)
{
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    int error = result_of(child);
    if (child > 0) {
        (void)waitpid(child, NULL, 0);
    }
    return error;
}

/* If it were let, this process would end as another program, and say nothing more. */
static int run_program(void)
{
    char program[] = "/bin/true";
    char *argv[] = {program, NULL};
    return result_of(execv(program, argv));
}

static int change_user(void)
{
    return result_of(setresuid(NOBODY, NOBODY, NOBODY));
}

static int change_group(void)
{
    return result_of(setresgid(NOBODY, NOBODY, NOBODY));
}

static int trace_parent(void)
{
    int error = result_of(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
    if (error == 0) {
        ptrace(PTRACE_DETACH, getppid(), NULL, NULL);
    }
    return error;
}

static int read_parents_memory(void)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/mem", (int)getppid());
    return close_after(open(path, O_RDONLY | O_CLOEXEC));
}

static int signal_parent(void)
{
    return result_of(kill(getppid(), 0));
}

static int open_raw_socket(void)
{
    return close_after(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
}

static int open_packet_socket(void)
{
    return close_after(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int listen_elsewhere(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(OTHER_PORT)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = s < 0 ? EINVAL : result_of(bind(s, (struct sockaddr *)&at, sizeof at));
    close(s);
    return error;
}

static int map_executable(void)
{
    void *at = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? errno : result_of(munmap(at, PAGE));
}

static int make_executable(void)
{
    void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int error = result_of(mprotect(at, PAGE, PROT_READ | PROT_EXEC));
    munmap(at, PAGE);
    return error;
}

static const struct {
    const char *name;
    int (*attempt)(void);
} attempts[] = {
    {"read a file outside", read_outside},
    {"make a file outside", write_outside},
    {"remove a file outside", remove_outside},
    {"make a process", make_process},
    {"run a program", run_program},
    {"change the user", change_user},
    {"change the group", change_group},
    {"trace another process", trace_parent},
    {"read another process's memory", read_parents_memory},
    {"signal another process", signal_parent},
    {"open a raw socket", open_raw_socket},
    {"open a packet socket", open_packet_socket},
    {"listen at another port", listen_elsewhere},
    {"map executable memory", map_executable},
    {"make memory executable", make_executable},
};

/* A program that ran ended well. */
static int attempt_apart(int (*attempt)(void))
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        _exit(attempt());
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : EINTR;
}

void fence_trial(struct log *log, struct str outside, bool expendable)
{
    static char path[2048];
    size_t len = outside.len < sizeof path ? outside.len : sizeof path - 1;
    memcpy(path, outside.ptr, len);
    outside_path = path;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        int error = expendable ? attempt_apart(attempts[i].attempt) : attempts[i].attempt();
        log_event(log, LOG_INFO, "fence-trial", F_STR("attempt", str_from_cstr(attempts[i].name)),
                  F_INT("errno", error),
                  F_STR("result", str_from_cstr(error ? strerror(error) : "was let")));
    }
}
