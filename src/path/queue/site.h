/* site.h: the set of hosts that serve some domains, as the queue deals with it: how many deliveries
 * there may be at once, who waits for one, and until when it is left alone because it could not be
 * reached. Pure: the time is an argument. */
#pragma once

#include "config/config.h"
#include "core/base/heap.h"
#include "core/base/map.h"
#include "core/mail/priority.h"
#include "port/entropy.h"

enum {
    SITE_WINDOW_FIRST = 5,
    SITE_WINDOW_LOCAL = 256, /* for Maildirs and the like, which no other host is behind */
    SITE_BROKEN_MAX = 3, /* connections broken in the middle, in a row, until it counts as down */
};

struct site {
    struct map_node node;
    struct heap_node wake; /* at `retry_at` */
    struct heap waiting;   /* the first comes next */
    int64_t last_us;       /* when the last one came to the line, in its order */
    uint32_t window;       /* deliveries at once, now */
    uint32_t limit;        /* … at most */
    uint32_t running;      /* under way */
    uint32_t reserved;     /* promised to those that were woken */
    uint32_t failures;     /* episodes in a row in which it was not reached */
    uint32_t broken;       /* connections in a row that broke in the middle */
    struct instant failed_at;
    struct instant retry_at; /* zero: it is not down */
    bool local;
    char error[160]; /* of the last failure, cut */
    size_t error_len;
    struct str name; /* behind the struct */
};

struct sites {
    struct map by_name;
    struct heap wake;
    struct hash_seed seed;
    size_t down;
};

/* What a delivery showed of its site. */
enum site_sign {
    SITE_FINE,    /* it answered, and not that it has enough */
    SITE_BUSY,    /* 421, or the like: fewer at once */
    SITE_BROKEN,  /* the connection broke in the middle */
    SITE_DOWN,    /* no connection came about */
    SITE_NOTHING, /* nothing to be learnt of it */
};

struct site_result {
    enum site_sign sign;
    struct instant started; /* the delivery */
    struct instant now;
    uint32_t failures; /* how often in a row the message met with this before: after a restart the
                          site's own count is gone */
    struct str error;
};

void sites_done(struct sites *sites);
struct site *site_find(const struct sites *sites, struct str name); /* or null */
/* Finds or makes it; null: no memory. `limit`: deliveries at once, at most; from the first one on
 * where it is `local`. */
struct site *site_take(struct sites *sites, struct str name, uint32_t limit, bool local);
/* Forgets the site if nothing is known of it that matters. */
void site_settle(struct sites *sites, struct site *site, struct instant now);

bool site_is_down(const struct site *site, struct instant now);
/* May one more begin there, by somebody who was promised nothing? */
bool site_has_room(const struct site *site, struct instant now);

void site_start(struct site *site);
/* A delivery ended. */
void site_ended(struct sites *sites, struct site *site, const struct site_result *result,
                const struct config_queue *config, struct entropy *entropy);
/* An operator wants it tried now. */
void site_lift(struct sites *sites, struct site *site);

/* To the end of the line, but before those of lower priority who have not waited much longer
 * (priority.h). False: no memory. */
NODISCARD bool site_wait(struct site *site, struct heap_node *waiter, int priority,
                         struct instant now);
void site_unwait(struct site *site, struct heap_node *waiter);
/* The next waiter for whom there is room, off the list, with a promise to it; or null. */
struct heap_node *site_next(struct site *site, struct instant now);
void site_promise_back(struct site *site);
