#include "core/mail/allowance_inside.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_US INT64_C(3600000000)

enum { SWEEP_EVERY_US = 1000000 };

void allowance_book_init(struct allowance_book *book, struct hash_seed seed)
{
    *book = (struct allowance_book){.seed = seed};
    list_init(&book->users);
}

static void forget(struct allowance_book *book, struct allowance_user *user)
{
    map_remove(&book->map, &user->node);
    list_remove(&user->link);
    free(user);
}

void allowance_book_done(struct allowance_book *book)
{
    LIST_EACH (link, &book->users) {
        forget(book, CONTAINER_OF(link, struct allowance_user, link));
    }
    map_done(&book->map);
}

struct allowance_name allowance_name(struct str text)
{
    struct allowance_name name = {0};
    for (size_t i = 0; i < text.len && name.len < ALLOWANCE_NAME_MAX; i++) {
        if (text.ptr[i] != ' ' && text.ptr[i] != '\t') {
            name.text[name.len++] = ascii_lower(text.ptr[i]);
        }
    }
    return name;
}

static struct allowance_user *find(const struct allowance_book *book,
                                   const struct allowance_name *name)
{
    struct str key = str_from(name->text, name->len);
    struct map_node *node = map_find(&book->map, hash_bytes(book->seed, key));
    for (; node; node = map_find_next(node)) {
        struct allowance_user *user = CONTAINER_OF(node, struct allowance_user, node);
        if (str_eq(str_from(user->name, user->name_len), key)) {
            return user;
        }
    }
    return NULL;
}

bool allowance_drain(struct allowance_user *user, int64_t now_us)
{
    bool any = false;
    for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
        bucket_drain(&user->buckets[i], user->limits.of[i], now_us);
        any = any || user->buckets[i].used > 0 || user->reserved.of[i] > 0;
    }
    return any;
}

void allowance_sweep(struct allowance_book *book, int64_t now_us)
{
    LIST_EACH (link, &book->users) {
        struct allowance_user *user = CONTAINER_OF(link, struct allowance_user, link);
        if (!allowance_drain(user, now_us)) {
            forget(book, user);
        }
    }
}

/* Looking for room among very many is not done at everybody's wish. */
static bool has_room(struct allowance_book *book, int64_t now_us)
{
    if (book->map.count >= ALLOWANCE_USERS_MAX && now_us - book->swept_us >= SWEEP_EVERY_US) {
        book->swept_us = now_us;
        allowance_sweep(book, now_us);
    }
    return book->map.count < ALLOWANCE_USERS_MAX;
}

struct allowance_user *allowance_make(struct allowance_book *book,
                                      const struct allowance_name *name, int64_t now_us)
{
    struct allowance_user *user = find(book, name);
    if (user || !has_room(book, now_us)) {
        return user;
    }
    user = calloc(1, sizeof *user + name->len);
    if (!user) {
        return NULL;
    }
    memcpy(user->name, name->text, name->len);
    user->name_len = name->len;
    for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
        user->buckets[i].at_us = now_us;
    }
    uint64_t hash = hash_bytes(book->seed, str_from(name->text, name->len));
    if (!map_insert(&book->map, &user->node, hash)) {
        free(user);
        return NULL;
    }
    list_append(&book->users, &user->link);
    return user;
}

/* What is reserved counts as if it were used: most of it will be. */
static uint32_t wanted(const struct allowance_user *user, enum allowance_kind kind, uint32_t amount)
{
    uint32_t reserved = user->reserved.of[kind];
    return reserved < BUCKET_LIMIT_MAX && amount < BUCKET_LIMIT_MAX ? reserved + amount
                                                                    : (uint32_t)BUCKET_LIMIT_MAX;
}

static struct allowance_answer refuse(struct allowance_user *user, enum allowance_kind kind,
                                      uint32_t amount, int64_t now_us)
{
    struct allowance_answer answer = {.verdict = ALLOWANCE_USED_UP, .kind = kind};
    answer.wait.us =
        bucket_wait(&user->buckets[kind], user->limits.of[kind], wanted(user, kind, amount));
    answer.news = !user->told || now_us - user->told_us >= HOUR_US;
    if (answer.news) {
        user->told = true;
        user->told_us = now_us;
    }
    return answer;
}

struct allowance_answer allowance_reserve(struct allowance_book *book,
                                          const struct allowance_ask *ask, int64_t now_us)
{
    struct allowance_name name = allowance_name(ask->user);
    struct allowance_user *user = allowance_make(book, &name, now_us);
    if (!user) {
        return (struct allowance_answer){.verdict = ALLOWANCE_NO_ROOM};
    }
    (void)allowance_drain(user, now_us); /* by the limits that were, until now */
    user->limits = ask->limits;
    (void)allowance_drain(user, now_us);
    for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
        uint32_t amount = ask->amount.of[i];
        if (amount > 0 && !bucket_fits(&user->buckets[i], user->limits.of[i],
                                       wanted(user, (enum allowance_kind)i, amount))) {
            return refuse(user, (enum allowance_kind)i, amount, now_us);
        }
    }
    for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
        user->reserved.of[i] = wanted(user, (enum allowance_kind)i, ask->amount.of[i]);
    }
    return (struct allowance_answer){.verdict = ALLOWANCE_GRANTED};
}

void allowance_settle(struct allowance_book *book, struct str text, struct allowance reserved,
                      struct allowance taken, int64_t now_us)
{
    struct allowance_name name = allowance_name(text);
    struct allowance_user *user = find(book, &name);
    if (!user) {
        return; /* nothing was reserved */
    }
    (void)allowance_drain(user, now_us);
    for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
        uint32_t *left = &user->reserved.of[i];
        *left -= reserved.of[i] < *left ? reserved.of[i] : *left;
        if (user->limits.of[i] > 0 && taken.of[i] > 0) {
            bucket_add(&user->buckets[i], taken.of[i]);
            book->changed = true;
        }
    }
    if (!allowance_drain(user, now_us)) {
        forget(book, user);
    }
}

bool allowance_reset(struct allowance_book *book, struct str text)
{
    struct allowance_name name = allowance_name(text);
    struct allowance_user *user = find(book, &name);
    if (!user) {
        return false;
    }
    bool any = false;
    for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
        any = any || user->buckets[i].used > 0;
        user->buckets[i].used = 0;
    }
    user->told = false;
    book->changed = book->changed || any;
    return any;
}

struct allowance_state *allowance_list(struct allowance_book *book, struct str text,
                                       struct arena *arena, int64_t now_us, size_t *count)
{
    struct allowance_name name = allowance_name(text);
    struct allowance_user *only = text.len > 0 ? find(book, &name) : NULL;
    size_t most = text.len == 0 ? book->map.count : only != NULL;
    struct allowance_state *states = most > 0 ? arena_array(arena, most, sizeof *states) : NULL;
    *count = 0;
    LIST_EACH (link, &book->users) {
        struct allowance_user *user = CONTAINER_OF(link, struct allowance_user, link);
        if (!states || (only && user != only) || !allowance_drain(user, now_us)) {
            continue;
        }
        struct allowance_state *state = &states[*count];
        *state = (struct allowance_state){.reserved = user->reserved};
        state->user = arena_copy(arena, str_from(user->name, user->name_len));
        for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
            state->used.of[i] = bucket_units(&user->buckets[i]);
        }
        *count += state->user.ptr != NULL;
    }
    return states;
}
