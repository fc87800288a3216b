#include "stores/token_cache.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 2048, HASH_SIZE = 32, USER_MAX = 255 };

struct place {
    unsigned char hash[HASH_SIZE];
    int64_t until; /* 0: free */
    unsigned char user_len;
    char user[USER_MAX];
};

struct token_cache {
    pthread_mutex_t lock;
    struct place places[PLACES];
};

struct token_cache *token_cache_new(void)
{
    struct token_cache *cache = calloc(1, sizeof *cache);
    if (cache) {
        pthread_mutex_init(&cache->lock, NULL);
    }
    return cache;
}

void token_cache_free(struct token_cache *cache)
{
    if (cache) {
        pthread_mutex_destroy(&cache->lock);
        free(cache);
    }
}

static bool hash_of(struct str token, unsigned char hash[HASH_SIZE])
{
    return EVP_Digest(token.ptr, token.len, hash, NULL, EVP_sha256(), NULL) == 1;
}

/* Where it is, or would be: one that is there already gives way. */
static struct place *place_of(struct token_cache *cache, const unsigned char hash[HASH_SIZE])
{
    uint32_t first;
    memcpy(&first, hash, sizeof first);
    return &cache->places[first % PLACES];
}

bool token_cache_find(struct token_cache *cache, struct str token, int64_t now, struct buf *user)
{
    unsigned char hash[HASH_SIZE];
    if (!hash_of(token, hash)) {
        return false;
    }
    pthread_mutex_lock(&cache->lock);
    const struct place *p = place_of(cache, hash);
    bool found = p->until > now && memcmp(p->hash, hash, HASH_SIZE) == 0;
    if (found) {
        buf_add(user, str_from(p->user, p->user_len));
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

void token_cache_keep(struct token_cache *cache, struct str token, struct str user, int64_t until)
{
    unsigned char hash[HASH_SIZE];
    if (user.len == 0 || user.len > USER_MAX || !hash_of(token, hash)) {
        return;
    }
    pthread_mutex_lock(&cache->lock);
    struct place *p = place_of(cache, hash);
    memcpy(p->hash, hash, HASH_SIZE);
    memcpy(p->user, user.ptr, user.len);
    p->user_len = (unsigned char)user.len;
    p->until = until;
    pthread_mutex_unlock(&cache->lock);
}
