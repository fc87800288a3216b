#include "crash/rack.h"

#include "crash/trouble.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUN_SECONDS = 120, FAILURES_SHOWN = 10 };

/* Machines that lose power never give their memory back. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:quarantine_size_mb=16";
}

static void run_here(void (*run)(uint64_t seed), uint64_t seed, bool verbose)
{
    run_now = (struct run_now){.seed = seed, .verbose = verbose};
    alarm(RUN_SECONDS);
    run(seed);
    (void)fflush(stdout);
}

static bool run_apart(void (*run)(uint64_t seed), uint64_t seed)
{
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        run_here(run, seed, false);
        _Exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("rack");
        exit(70);
    }
    if (WIFSIGNALED(status)) {
        printf("seed %llu: ended by signal %d (%s)\n", (unsigned long long)seed, WTERMSIG(status),
               WTERMSIG(status) == SIGALRM ? "it never ends" : "it crashed");
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int rack_main(int argc, char **argv, void (*run)(uint64_t seed))
{
    const char *program = argv[0];
    bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
    uint64_t most = argc > 1 && strcmp(argv[1], "-1") == 0 ? 1 : FAILURES_SHOWN;
    bool option = verbose || most == 1;
    argv += option;
    argc -= option;
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s [-v|-1] SEED [COUNT]\n", program);
        return 64;
    }
    uint64_t seed = strtoull(argv[1], NULL, 10);
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    if (verbose) {
        run_here(run, seed, true);
        return 0;
    }
    uint64_t failed = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (!run_apart(run, seed + i)) {
            printf("  to see it: %s -v %llu\n", program, (unsigned long long)(seed + i));
            if (++failed == most) {
                count = i + 1;
            }
        }
    }
    printf("%llu runs, %llu failed\n", (unsigned long long)count, (unsigned long long)failed);
    return failed > 0;
}
