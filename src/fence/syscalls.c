/* syscalls.c: the system calls that a worker needs, by seccomp. What is not in the table fails with
 * EPERM: a fault in a library that comes upon one is an error of that library, not the end of the
 * server, and an intruder gains nothing by the difference. */
#include "fence/fence.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Sanitizers run a thread that stops and looks into the others, and read our own memory. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED
#define OF_THREADS CLONE_VM
#else
#define OF_THREADS CLONE_THREAD
#endif

// clang-format off
static const char *const allowed[] = {
    /* files, below what Landlock leaves */
    "access", "faccessat", "faccessat2", "open", "openat", "close", "close_range", "read", "pread64",
    "readv", "preadv", "preadv2", "write", "pwrite64", "writev", "pwritev", "pwritev2", "lseek",
    "stat", "lstat", "fstat", "newfstatat", "statx", "statfs", "fstatfs", "getdents64", "getcwd",
    "readlink", "readlinkat", "rename", "renameat", "renameat2", "link", "linkat", "unlink",
    "unlinkat", "mkdir", "mkdirat", "rmdir", "chmod", "fchmod", "fchmodat", "umask", "utimensat",
    "ftruncate", "truncate", "fallocate", "fadvise64", "fsync", "fdatasync", "sync_file_range",
    "fchown", "msync", "fcntl", "flock", "dup", "dup2", "dup3", "sendfile", "splice", "copy_file_range", "memfd_create",
    /* sockets; socket() itself is below */
    "socketpair", "bind", "listen", "accept", "accept4", "connect", "shutdown", "getsockname",
    "getpeername", "getsockopt", "setsockopt", "sendto", "sendmsg", "sendmmsg", "recvfrom",
    "recvmsg", "recvmmsg",
    /* waiting */
    "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2", "pipe", "pipe2", "timerfd_create",
    "timerfd_settime", "timerfd_gettime", "nanosleep", "clock_nanosleep", "inotify_init1",
    "inotify_add_watch", "inotify_rm_watch",
    /* memory; mmap() and mprotect() are below */
    "brk", "munmap", "mremap", "madvise", "mincore", "mlock", "munlock", "membarrier",
    /* threads; clone() is below */
    "futex", "futex_waitv", "set_robust_list", "get_robust_list", "rseq", "sched_yield",
    "sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_getscheduler", "gettid",
    "exit", "exit_group", "set_tid_address", "arch_prctl", "getcpu",
    /* signals */
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "rt_sigsuspend",
    "rt_sigpending", "sigaltstack", "restart_syscall", "pause",
    /* what time it is, who we are, chance */
    "clock_gettime", "clock_getres", "gettimeofday", "time", "times", "getpid", "getppid", "getuid",
    "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "getpgrp", "getpgid",
    "getsid", "uname", "sysinfo", "getrusage", "getrlimit", "prlimit64", "getrandom", "getpriority",
#ifdef SANITIZED
    "getdents", "ptrace", "prctl", "wait4", "process_vm_readv", "personality", "setrlimit", "kill",
    "tgkill",
#endif
};
// clang-format on

/* Of an argument, counted from 0: it is `value`. */
static struct scmp_arg_cmp equals(unsigned argument, scmp_datum_t value)
{
    return (struct scmp_arg_cmp){.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value};
}

/* Its bits of `mask` are those of `value`. */
static struct scmp_arg_cmp masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value)
{
    return (struct scmp_arg_cmp){
        .arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

static int allow_all(scmp_filter_ctx filter)
{
    int error = 0;
    for (size_t i = 0; i < ARRAY_LEN(allowed) && error == 0; i++) {
        int number = seccomp_syscall_resolve_name(allowed[i]);
        if (number != __NR_SCMP_ERROR && number >= 0) {
            error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
        }
    }
    return error;
}

/* TCP, UDP, local sockets, and netlink as the resolver asks it for routes; nothing raw. */
static int allow_sockets(scmp_filter_ctx filter)
{
    static const unsigned families[] = {AF_INET, AF_INET6}, types[] = {SOCK_STREAM, SOCK_DGRAM};
    const scmp_datum_t type = 0xf; /* the rest of the second argument is flags */
    int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, equals(0, AF_UNIX));
    if (error == 0) {
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, equals(0, AF_NETLINK),
                                 equals(2, NETLINK_ROUTE));
    }
    for (size_t i = 0; i < ARRAY_LEN(families) && error == 0; i++) {
        for (size_t j = 0; j < ARRAY_LEN(types) && error == 0; j++) {
            error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
                                     equals(0, families[i]), masked(1, type, types[j]));
        }
    }
    return error;
}

/* Memory is never made executable, and what is, never changed. */
static int allow_memory(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp data = masked(2, PROT_EXEC, 0);
    int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, data);
    return error ? error : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, data);
}

/* Threads, but no processes. clone3() has its flags in memory, where a filter cannot see them; the
 * C library falls back to clone() when it is told that there is none. */
static int allow_threads(scmp_filter_ctx filter)
{
    int error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (error == 0) {
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                 masked(0, OF_THREADS, OF_THREADS));
    }
#ifndef SANITIZED
    if (error == 0) { /* threads get names */
        error =
            seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, equals(0, PR_SET_NAME));
    }
#endif
    return error;
}

/* Signals to ourselves alone, as abort() sends one. */
static int allow_own_signals(scmp_filter_ctx filter)
{
#ifdef SANITIZED
    (void)filter;
    return 0;
#else
    const struct scmp_arg_cmp us = equals(0, (scmp_datum_t)getpid());
    int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, us);
    return error ? error : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, us);
#endif
}

/* Of all that devices, sockets and terminals can be asked: whether they block, how much there is,
 * and whether it is a terminal. */
static int allow_requests(scmp_filter_ctx filter)
{
    static const scmp_datum_t requests[] = {FIONBIO,  FIOCLEX, FIONCLEX,
                                            FIONREAD, TCGETS,  TIOCGWINSZ};
    int error = 0;
    for (size_t i = 0; i < ARRAY_LEN(requests) && error == 0; i++) {
        error =
            seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, equals(1, requests[i]));
    }
    return error;
}

static int (*const rules[])(scmp_filter_ctx) = {allow_all,     allow_sockets,     allow_memory,
                                                allow_threads, allow_own_signals, allow_requests};

bool fence_filters_syscalls(void)
{
    return seccomp_api_get() > 0;
}

int fence_syscalls(bool *had)
{
    *had = false;
    if (!fence_filters_syscalls()) {
        return 0;
    }
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter) {
        return -ENOMEM;
    }
    int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (size_t i = 0; i < ARRAY_LEN(rules) && error == 0; i++) {
        error = rules[i](filter);
    }
    if (error == 0) {
        error = seccomp_load(filter);
    }
    seccomp_release(filter);
    *had = error == 0;
    return error == -ECANCELED || error == -EINVAL || error == -ENOSYS ? 0 : error;
}
