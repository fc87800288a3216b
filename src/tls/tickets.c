#include "tls/tickets.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 2 }; /* the one that seals, and the one before */

struct tickets {
    pthread_mutex_t lock;
    struct span life;
    int64_t made_us; /* when the first of `keys` was */
    size_t count;
    struct ticket_key keys[KEPT];
};

struct tickets *tickets_new(struct span life)
{
    struct tickets *tickets = calloc(1, sizeof *tickets);
    if (tickets && pthread_mutex_init(&tickets->lock, NULL) != 0) {
        free(tickets);
        return NULL;
    }
    if (tickets) {
        tickets->life = life;
    }
    return tickets;
}

void tickets_free(struct tickets *tickets)
{
    if (tickets) {
        pthread_mutex_destroy(&tickets->lock);
        OPENSSL_cleanse(tickets, sizeof *tickets);
        free(tickets);
    }
}

struct span tickets_life(const struct tickets *tickets)
{
    return tickets->life;
}

/* Forgets what is too old. Under the lock. */
static void age(struct tickets *t, int64_t now_us)
{
    int64_t lives = (now_us - t->made_us) / t->life.us;
    size_t left = t->count == 0 || lives >= KEPT ? 0 : t->count;
    if (lives == 1 && left == KEPT) {
        left = 1; /* the newest is now the one before */
    }
    OPENSSL_cleanse(&t->keys[left], (KEPT - left) * sizeof t->keys[0]);
    t->count = left;
}

/* Under the lock. */
static bool have_current(struct tickets *t, int64_t now_us)
{
    age(t, now_us);
    if (t->count > 0 && now_us - t->made_us < t->life.us) {
        return true;
    }
    struct ticket_key fresh;
    if (RAND_priv_bytes((unsigned char *)&fresh, sizeof fresh) != 1) {
        return false;
    }
    t->keys[1] = t->keys[0];
    t->keys[0] = fresh;
    OPENSSL_cleanse(&fresh, sizeof fresh);
    /* The older one's second life is counted from its first, whenever this one was asked for. */
    t->made_us = t->count > 0 ? t->made_us + t->life.us : now_us;
    t->count = t->count > 0 ? KEPT : 1;
    return true;
}

bool tickets_current(struct tickets *tickets, int64_t now_us, struct ticket_key *key)
{
    pthread_mutex_lock(&tickets->lock);
    bool good = have_current(tickets, now_us);
    if (good) {
        *key = tickets->keys[0];
    }
    pthread_mutex_unlock(&tickets->lock);
    return good;
}

bool tickets_find(struct tickets *tickets, int64_t now_us, const unsigned char *name,
                  struct ticket_key *key)
{
    bool found = false;
    pthread_mutex_lock(&tickets->lock);
    age(tickets, now_us);
    for (size_t i = 0; i < tickets->count && !found; i++) {
        found = memcmp(tickets->keys[i].name, name, TICKET_NAME_SIZE) == 0;
        if (found) {
            *key = tickets->keys[i];
        }
    }
    pthread_mutex_unlock(&tickets->lock);
    return found;
}
