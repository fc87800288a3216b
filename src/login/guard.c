#include "login/guard.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SETS = 2048, WAYS = 8, ONE = 1024, HALF_LIFE_S = 600, HALVINGS_MAX = 20 };

/* A place forgets its oldest when it is full: an attacker who fills the table with new networks
 * only pushes out others' failures, and costs himself an address each. */
struct tally {
    uint64_t key; /* 0: free */
    int64_t at_us;
    uint32_t failures; /* in ONEths */
};

struct guard {
    pthread_mutex_t lock;
    struct hash_seed seed;
    struct tally tallies[SETS][WAYS];
};

struct guard *guard_new(struct hash_seed seed)
{
    struct guard *guard = calloc(1, sizeof *guard);
    if (guard) {
        guard->seed = seed;
        pthread_mutex_init(&guard->lock, NULL);
    }
    return guard;
}

void guard_free(struct guard *guard)
{
    if (guard) {
        pthread_mutex_destroy(&guard->lock);
        free(guard);
    }
}

struct keys {
    uint64_t network, account, pair;
    uint64_t site; /* 0: it has none */
};

static uint64_t never_zero(uint64_t hash)
{
    return hash ? hash : 1;
}

static uint64_t hash_network(const struct guard *guard, struct ip ip, size_t counted)
{
    char network[9] = {(char)ip.family};
    memcpy(network + 1, ip.bytes, counted);
    return hash_bytes(guard->seed, (struct str){network, counted + 1});
}

uint64_t guard_network(const struct guard *guard, struct ip peer)
{
    struct ip ip = ip_unmap(peer);
    size_t counted = ip.family == IP_V6 ? 8 : ip.family == IP_V4 ? 4 : 0;
    return hash_network(guard, ip, counted);
}

static uint64_t site_of(const struct guard *guard, struct ip peer)
{
    struct ip ip = ip_unmap(peer);
    return ip.family == IP_V6 ? never_zero(hash_network(guard, ip, 6)) : 0;
}

static struct keys keys_of(const struct guard *guard, struct ip peer, struct str user)
{
    uint64_t n = guard_network(guard, peer);
    uint64_t a = hash_nocase(guard->seed, user);
    uint64_t both[2] = {n, a};
    uint64_t pair = hash_bytes(guard->seed, (struct str){(const char *)both, sizeof both});
    return (struct keys){.network = never_zero(n),
                         .account = never_zero(a ^ 0x9e3779b97f4a7c15U),
                         .pair = never_zero(pair),
                         .site = site_of(guard, peer)};
}

static struct tally *find(struct guard *guard, uint64_t key)
{
    struct tally *set = guard->tallies[key % SETS];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            return &set[i];
        }
    }
    return NULL;
}

static uint32_t failures(struct tally *tally, int64_t now_us)
{
    if (!tally) {
        return 0;
    }
    int64_t halvings = (now_us - tally->at_us) / (HALF_LIFE_S * (int64_t)1000000);
    if (halvings > 0) {
        tally->failures = halvings > HALVINGS_MAX ? 0 : tally->failures >> halvings;
        tally->at_us += halvings * HALF_LIFE_S * 1000000;
    }
    return tally->failures / ONE;
}

static uint32_t add(struct guard *guard, uint64_t key, int64_t now_us)
{
    struct tally *tally = find(guard, key);
    if (!tally) {
        struct tally *set = guard->tallies[key % SETS];
        tally = &set[0];
        for (size_t i = 1; i < WAYS && tally->key; i++) {
            bool better = !set[i].key || set[i].at_us < tally->at_us;
            tally = better ? &set[i] : tally;
        }
        *tally = (struct tally){.key = key, .at_us = now_us};
    }
    uint32_t so_far = failures(tally, now_us);
    if (so_far < UINT32_MAX / ONE - 1) {
        tally->failures += ONE;
        so_far++;
    }
    return so_far;
}

bool guard_allows(struct guard *guard, struct ip peer, struct str user, int64_t now_us)
{
    struct keys keys = keys_of(guard, peer, user);
    pthread_mutex_lock(&guard->lock);
    bool allowed = failures(find(guard, keys.network), now_us) < GUARD_NETWORK_FAILURES;
    if (keys.site && failures(find(guard, keys.site), now_us) >= GUARD_SITE_FAILURES) {
        allowed = false;
    }
    if (user.len > 0 && failures(find(guard, keys.account), now_us) >= GUARD_ACCOUNT_FAILURES &&
        failures(find(guard, keys.pair), now_us) >= GUARD_PAIR_FAILURES) {
        allowed = false;
    }
    pthread_mutex_unlock(&guard->lock);
    return allowed;
}

struct span guard_failed(struct guard *guard, struct ip peer, struct str user, int64_t now_us)
{
    struct keys keys = keys_of(guard, peer, user);
    pthread_mutex_lock(&guard->lock);
    uint32_t count = add(guard, keys.network, now_us);
    if (keys.site) {
        (void)add(guard, keys.site, now_us);
    }
    if (user.len > 0) {
        (void)add(guard, keys.account, now_us);
        (void)add(guard, keys.pair, now_us);
    }
    pthread_mutex_unlock(&guard->lock);
    uint32_t doublings = count > 6 ? 6 : count;
    int64_t wait_ms = (int64_t)125 << doublings;
    return SPAN_MS(wait_ms < GUARD_DELAY_MAX_MS ? wait_ms : GUARD_DELAY_MAX_MS);
}

/* What was failed at other accounts still counts. */
static void forgive(struct tally *tally, uint32_t own, int64_t now_us)
{
    if (tally) {
        (void)failures(tally, now_us);
        tally->failures -= own < tally->failures ? own : tally->failures;
    }
}

void guard_succeeded(struct guard *guard, struct ip peer, struct str user, int64_t now_us)
{
    struct keys keys = keys_of(guard, peer, user);
    pthread_mutex_lock(&guard->lock);
    struct tally *pair = find(guard, keys.pair);
    uint32_t own = failures(pair, now_us) * ONE;
    forgive(find(guard, keys.network), own, now_us);
    forgive(keys.site ? find(guard, keys.site) : NULL, own, now_us);
    if (pair) {
        pair->failures = 0;
    }
    pthread_mutex_unlock(&guard->lock);
}
