#include <pthread.h>
#include <stdlib.h>

#include "world/job.h"

struct committer {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t more;
    struct job *first;
    struct job *last;
    bool stop;
    struct inbox *inbox;
};

static struct job *take(struct committer *c)
{
    pthread_mutex_lock(&c->mutex);
    while (!c->first && !c->stop) {
        pthread_cond_wait(&c->more, &c->mutex);
    }
    struct job *job = c->first;
    if (job) {
        c->first = job->next;
    }
    pthread_mutex_unlock(&c->mutex);
    return job;
}

static void *run(void *argument)
{
    struct committer *c = argument;
    for (struct job *job; (job = take(c));) {
        job_run(job);
        c->inbox->post(c->inbox, &job->finished);
    }
    return NULL;
}

struct committer *committer_start(struct inbox *inbox)
{
    struct committer *c = calloc(1, sizeof *c);
    if (!c) {
        return NULL;
    }
    c->inbox = inbox;
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->more, NULL);
    if (pthread_create(&c->thread, NULL, run, c) != 0) {
        pthread_cond_destroy(&c->more);
        pthread_mutex_destroy(&c->mutex);
        free(c);
        return NULL;
    }
    return c;
}

void committer_add(struct committer *c, struct job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&c->mutex);
    if (c->first) {
        c->last->next = job;
    } else {
        c->first = job;
    }
    c->last = job;
    pthread_mutex_unlock(&c->mutex);
    pthread_cond_signal(&c->more); /* not under the mutex, at which who wakes would wait */
}

void committer_stop(struct committer *c)
{
    if (!c) {
        return;
    }
    pthread_mutex_lock(&c->mutex);
    c->stop = true;
    pthread_cond_signal(&c->more);
    pthread_mutex_unlock(&c->mutex);
    pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->more);
    pthread_mutex_destroy(&c->mutex);
    free(c);
}
