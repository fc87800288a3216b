#include "keys/dkim_signer.h"

#include "keys/asker.h"
#include "keys/dkim_key.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct loop_signer {
    struct signer port;
    struct dkim_signer *all;
    struct inbox *inbox;
    struct loop_signer *next;
};

struct dkim_signer {
    struct key_asker asker; /* the thread's */
    struct loop_signer *loops;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t more;
    struct signer_order *first, *last;
    bool renew, ending;
};

static int ask(struct dkim_signer *all, struct signer_order *order)
{
    struct key_id id;
    unsigned char made[KEY_BYTES_MAX];
    struct key_signer *asked = &all->asker.signer;
    dkim_key_id(order->file, &id);
    int result = asked->sign(asked, &id, (enum key_operation)KEY_DKIM,
                             str_from((const char *)order->digests, sizeof order->digests), made);
    if (result >= 0 && result != SIGNER_ED25519_SIZE &&
        (result < SIGNER_RSA_SIZE_MIN || result > SIGNER_OCTETS_MAX)) {
        return -EPROTO;
    }
    if (result > 0) {
        memcpy(order->octets, made, (size_t)result);
        order->kind = result == SIGNER_ED25519_SIZE ? SIGNER_ED25519 : SIGNER_RSA;
    }
    return result;
}

static void came_back(struct parcel *parcel)
{
    struct signer_order *order = CONTAINER_OF(parcel, struct signer_order, parcel);
    order->done(order);
}

/* What is to be done next: an order, a new process, or both. False at the end. */
static bool take(struct dkim_signer *all, struct signer_order **order, bool *renew)
{
    pthread_mutex_lock(&all->mutex);
    while (!all->first && !all->renew && !all->ending) {
        pthread_cond_wait(&all->more, &all->mutex);
    }
    *order = all->first;
    *renew = all->renew;
    all->first = *order ? (*order)->next : NULL;
    all->renew = false;
    pthread_mutex_unlock(&all->mutex);
    return *order || *renew;
}

static void *run(void *argument)
{
    struct dkim_signer *all = argument;
    struct signer_order *order = NULL;
    for (bool renew = false; take(all, &order, &renew);) {
        if (renew) {
            key_asker_close(&all->asker); /* the last one ends when nobody asks it any more */
        }
        if (order) {
            order->result = ask(all, order);
            order->inbox->post(order->inbox, &order->parcel);
        }
    }
    return NULL;
}

static void sign(struct signer *signer, struct signer_order *order)
{
    struct loop_signer *loop = CONTAINER_OF(signer, struct loop_signer, port);
    struct dkim_signer *all = loop->all;
    order->inbox = loop->inbox;
    order->parcel.open = came_back;
    order->next = NULL;
    pthread_mutex_lock(&all->mutex);
    if (all->first) {
        all->last->next = order;
    } else {
        all->first = order;
    }
    all->last = order;
    pthread_cond_signal(&all->more);
    pthread_mutex_unlock(&all->mutex);
}

struct dkim_signer *dkim_signer_new(int (*connect)(void *owner, bool stuck), void *owner)
{
    struct dkim_signer *all = calloc(1, sizeof *all);
    if (!all) {
        return NULL;
    }
    key_asker_open(&all->asker, connect, owner);
    pthread_mutex_init(&all->mutex, NULL);
    pthread_cond_init(&all->more, NULL);
    if (pthread_create(&all->thread, NULL, run, all) != 0) {
        pthread_cond_destroy(&all->more);
        pthread_mutex_destroy(&all->mutex);
        free(all);
        return NULL;
    }
    return all;
}

struct signer *dkim_signer_for(struct dkim_signer *signer, struct inbox *inbox)
{
    struct loop_signer *loop = calloc(1, sizeof *loop);
    if (!loop) {
        return NULL;
    }
    *loop = (struct loop_signer){
        .port.sign = sign, .all = signer, .inbox = inbox, .next = signer->loops};
    signer->loops = loop;
    return &loop->port;
}

void dkim_signer_renew(struct dkim_signer *signer)
{
    pthread_mutex_lock(&signer->mutex);
    signer->renew = true;
    pthread_cond_signal(&signer->more);
    pthread_mutex_unlock(&signer->mutex);
}

void dkim_signer_free(struct dkim_signer *signer)
{
    if (!signer) {
        return;
    }
    pthread_mutex_lock(&signer->mutex);
    signer->ending = true;
    pthread_cond_signal(&signer->more);
    pthread_mutex_unlock(&signer->mutex);
    pthread_join(signer->thread, NULL);
    key_asker_close(&signer->asker);
    for (struct loop_signer *loop = signer->loops; loop;) {
        struct loop_signer *next = loop->next;
        free(loop);
        loop = next;
    }
    pthread_cond_destroy(&signer->more);
    pthread_mutex_destroy(&signer->mutex);
    free(signer);
}
