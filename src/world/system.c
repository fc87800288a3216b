#include "world/system.h"

#include "world/address.h"

#include <errno.h>
#include <fcntl.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

/* A descriptor of ours must never pass for input, output or errors. */
static void fill_standard_streams(void)
{
    int null;
    do {
        null = open("/dev/null", O_RDWR);
    } while (null >= 0 && null <= 2);
    if (null > 2) {
        close(null);
    }
}

/* Without this glibc gives the top of a heap back as soon as 128 KiB of it are free, and a server
 * under load faults the same pages in again for every batch of messages. */
static void keep_memory_for_bursts(void)
{
#if defined(__GLIBC__)
    mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024);
    mallopt(M_TOP_PAD, 256 * 1024);
#endif
}

size_t system_prepare(void)
{
    fill_standard_streams();
    signal(SIGPIPE, SIG_IGN);
    keep_memory_for_bursts();
    setenv("UV_THREADPOOL_SIZE", "32", 0);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 1024;
    }
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit wanted = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &wanted) == 0) {
            limit = wanted;
        }
    }
    return limit.rlim_cur;
}

/* A host name without a dot is completed as the system's resolver completes it. */
void system_hostname(struct buf *out)
{
    char name[256] = "localhost";
    if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') {
        snprintf(name, sizeof name, "localhost");
    }
    struct addrinfo hints = {.ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    const char *best = name;
    if (!strchr(name, '.') && getaddrinfo(name, NULL, &hints, &found) == 0 && found &&
        found->ai_canonname && strchr(found->ai_canonname, '.')) {
        best = found->ai_canonname;
    }
    struct str text = str_from_cstr(best);
    if (str_ends(text, STR("."))) {
        text.len--;
    }
    for (size_t i = 0; i < text.len; i++) {
        buf_add_char(out, ascii_lower(text.ptr[i]));
    }
    if (found) {
        freeaddrinfo(found);
    }
}

size_t system_processors(void)
{
    unsigned n = uv_available_parallelism();
    return n ? n : 1;
}

int system_endpoint_is_free(struct endpoint at)
{
    struct sockaddr_storage address;
    int on = 1;
    if (at.ip.family == IP_NONE || at.port == 0) {
        return 0;
    }
    bool v6 = at.ip.family == IP_V6;
    int probe = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0) {
        return 0; /* whoever opens the listener will tell why */
    }
    socklen_t len = address_put(&address, at);
    bool taken = setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                 (!v6 || setsockopt(probe, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
                 bind(probe, (const struct sockaddr *)&address, len) != 0 && errno == EADDRINUSE;
    close(probe);
    return taken ? -EADDRINUSE : 0;
}
