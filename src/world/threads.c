#include "world/threads.h"

#include <pthread.h>
#include <stdlib.h>

struct running {
    pthread_t thread;
    struct loop *loop;
    size_t number;
    void (*begin)(struct loop *loop, size_t number, void *owner);
    void *owner;
};

struct threads {
    size_t count;
    struct running *running;
};

static void *run(void *argument)
{
    struct running *r = argument;
    if (r->begin) {
        r->begin(r->loop, r->number, r->owner);
    }
    loop_run(r->loop);
    return NULL;
}

struct threads *threads_start(struct loop *const *loops, size_t count,
                              void (*begin)(struct loop *loop, size_t number, void *owner),
                              void *owner)
{
    struct threads *threads = calloc(1, sizeof *threads);
    if (!threads) {
        return NULL;
    }
    threads->running = calloc(count ? count : 1, sizeof *threads->running);
    while (threads->running && threads->count < count) {
        struct running *r = &threads->running[threads->count];
        *r = (struct running){.loop = loops[threads->count],
                              .number = threads->count,
                              .begin = begin,
                              .owner = owner};
        if (pthread_create(&r->thread, NULL, run, r) != 0) {
            break;
        }
        threads->count++;
    }
    if (threads->count == count) {
        return threads;
    }
    for (size_t i = 0; i < threads->count; i++) {
        loop_stop(threads->running[i].loop);
    }
    threads_join(threads);
    return NULL;
}

void threads_join(struct threads *threads)
{
    if (!threads) {
        return;
    }
    for (size_t i = 0; i < threads->count; i++) {
        pthread_join(threads->running[i].thread, NULL);
    }
    free(threads->running);
    free(threads);
}
