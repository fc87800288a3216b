#include "crash/trouble.h"

#include "sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct run_now run_now;

static void when(void)
{
    int64_t now = run_now.world ? run_now.world->now : 0;
    printf("%6lld.%06lld ", (long long)(now / 1000000), (long long)(now % 1000000));
}

void tell(const char *format, ...)
{
    if (run_now.verbose) {
        va_list args;
        va_start(args, format);
        when();
        (void)vprintf(format, args);
        (void)putchar('\n');
        va_end(args);
    }
}

_Noreturn void trouble(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    when();
    (void)printf("seed %llu: ", (unsigned long long)run_now.seed);
    (void)vprintf(format, args);
    (void)putchar('\n');
    va_end(args);
    (void)fflush(stdout);
    _Exit(1);
}
