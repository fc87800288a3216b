/* allowance.h: how much each user who has logged in has sent of late, against hourly limits: a
 * leaky bucket (core/base/bucket.h) of messages and one of recipients.
 *
 * Room is reserved while a message comes in, and used up only when the message is taken: what is
 * refused or broken off costs nothing, and connections at the same time cannot pass the limit
 * together. A user is known while something is used or reserved, so that at most those who sent
 * within the hour are held, and ALLOWANCE_USERS_MAX of them. Names differ neither by the case of
 * ASCII letters nor by blanks (an LDAP directory or a table may take "anna " for "anna"), and count
 * by their first ALLOWANCE_NAME_MAX octets.
 *
 * Not for several threads at once. `now_us` is monotonic. */
#pragma once

#include "core/base/arena.h"
#include "core/base/bucket.h"
#include "core/base/buf.h"
#include "core/base/instant.h"
#include "core/base/list.h"
#include "core/base/map.h"

enum { ALLOWANCE_USERS_MAX = 100000, ALLOWANCE_NAME_MAX = 255 };

enum allowance_kind { ALLOWANCE_MESSAGES, ALLOWANCE_RECIPIENTS, ALLOWANCE_KINDS };

/* Limits an hour (0: none; at most BUCKET_LIMIT_MAX), or amounts. */
struct allowance {
    uint32_t of[ALLOWANCE_KINDS];
};

/* Zeroed, with a random seed and `users` initialised by allowance_book_init(). */
struct allowance_book {
    struct hash_seed seed;
    struct map map;
    struct list users;
    bool changed;     /* since it was last saved: something was used up or reset */
    int64_t swept_us; /* when there was last no room */
};

struct allowance_ask {
    struct str user;
    struct allowance limits;
    struct allowance amount;
};

enum allowance_verdict {
    ALLOWANCE_GRANTED,
    ALLOWANCE_USED_UP, /* `kind` is, and `wait` the time until it is not */
    ALLOWANCE_NO_ROOM, /* no memory, or too many users */
};

struct allowance_answer {
    enum allowance_verdict verdict;
    enum allowance_kind kind;
    struct span wait;
    bool news; /* the user has not been refused within the last hour */
};

/* For people: amounts in whole units. Texts are in the list's arena. */
struct allowance_state {
    struct str user; /* as names are compared */
    struct allowance used, reserved;
};

/* As names are compared: without blanks, ASCII in lower case. */
struct allowance_name {
    uint8_t len;
    char text[ALLOWANCE_NAME_MAX];
};
struct allowance_name allowance_name(struct str user);

void allowance_book_init(struct allowance_book *book, struct hash_seed seed);
void allowance_book_done(struct allowance_book *book);

/* All of the amount, or nothing. */
struct allowance_answer allowance_reserve(struct allowance_book *book,
                                          const struct allowance_ask *ask, int64_t now_us);
/* What was reserved is given back, and `taken` (not more) used up. */
void allowance_settle(struct allowance_book *book, struct str user, struct allowance reserved,
                      struct allowance taken, int64_t now_us);
/* Nothing is used. False: it was not before. */
bool allowance_reset(struct allowance_book *book, struct str user);
/* All who have something used or reserved, or `user` alone, if he has. Null and 0: nobody, or no
 * memory. */
struct allowance_state *allowance_list(struct allowance_book *book, struct str user,
                                       struct arena *arena, int64_t now_us, size_t *count);

/* The file that survives a restart: a line with the wall-clock time, a line a user, a line with a
 * checksum of all before. Reservations are not kept: they end with their sessions. Who has nothing
 * left is forgotten by the way. */
void allowance_save(struct allowance_book *book, struct buf *out, int64_t now_us,
                    struct instant wall);
/* Into an empty book. What has passed since it was saved has drained, by the wall clock; a clock
 * that was set back drains nothing. False: damaged, and nothing is taken of it. */
NODISCARD bool allowance_load(struct allowance_book *book, struct str text, int64_t now_us,
                              struct instant wall);
