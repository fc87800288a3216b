/* queue_control.h: looking into the queue and steering it, for the control socket. All of it runs
 * on the home loop and is asynchronous: addresses are read from the spool, a message at a time. */
#pragma once

#include "path/queue/queue.h"
#include "path/queue/story.h"

enum queue_item_state { QUEUE_WAITING = 1, QUEUE_ACTIVE = 2, QUEUE_HELD = 4 };

/* Which messages; all that is given must hold. Texts are compared without regard to case. */
struct queue_selector {
    struct queue_id id;     /* zero: any */
    struct str sender;      /* empty: any; "<>": the null reverse-path */
    struct str recipient;   /* of a recipient not yet done */
    struct str domain;      /* of a recipient not yet done */
    struct str site;        /* which a recipient waits for or was last tried at */
    struct str last_error;  /* a part of the text of a recipient's last failure */
    struct span older_than; /* since its arrival */
    unsigned states;        /* of enum queue_item_state; 0: any */
};

enum queue_rcpt_phase { RCPT_PENDING, RCPT_HELD, RCPT_FINAL };

struct queue_item_rcpt {
    struct str address;
    enum queue_rcpt_phase phase;
    uint32_t attempts;
    const struct outcome *last; /* null: not tried yet */
    struct instant next;        /* PENDING: not before */
};

/* A message in the queue. Everything is borrowed for the call. */
struct queue_item {
    struct queue_id id;
    const struct envelope *envelope;
    enum queue_item_state state;
    struct span age;
    const struct queue_item_rcpt *rcpts; /* children of expansions included */
    size_t rcpt_count;
    struct story_wait wait;
    struct instant next; /* zero: no attempt is planned */
    struct instant give_up;
};

enum queue_action {
    QUEUE_LIST,    /* tell `each` and do nothing */
    QUEUE_RETRY,   /* try now, whatever the schedule, the site's back-off and HOLDFOR say */
    QUEUE_HOLD,    /* do not try until released, nor expire */
    QUEUE_RELEASE, /* try what was held: now, or when its sender wants it sent (RFC 4865) */
    QUEUE_REMOVE,  /* forget it, telling nobody */
    QUEUE_BOUNCE,  /* give up now, telling the sender */
};

/* Does the action to every message that the selector finds, the oldest first; where it names
 * recipients (recipient, domain, site, last_error), holding, releasing, removing and bouncing are
 * done to these alone. Each change is
 * durable before `each` is told of it. Messages being delivered at this moment come last: they are
 * changed when their attempt has ended. */
struct queue_request {
    void (*each)(struct queue_request *request, const struct queue_item *item); /* may be null */
    void (*done)(struct queue_request *request); /* never before queue_ask() returned */
    enum queue_action action;
    struct queue_selector selector; /* its texts are borrowed until done */
    size_t limit;                   /* at most so many messages; 0: all */
    bool paused;    /* `each` may set it: nothing more is looked at until queue_ask_resume() */
    size_t matched; /* done: found by the selector */
    size_t changed; /* done: acted upon */
    bool more;      /* done: there were more than `limit` */
    int result;     /* done: 0 or -errno (some could not be read or changed) */
    void *owner;
    void *impl;
};
void queue_ask(struct queue *q, struct queue_request *request);
void queue_ask_resume(struct queue_request *request); /* fine if it is not paused */

/* The stories of a message, or of the newest messages from or to an address: those in the queue
 * first, then finished ones from the history; the newest first of each. */
struct queue_why {
    void (*each)(struct queue_why *why, const struct story *story); /* borrowed for the call */
    void (*done)(struct queue_why *why); /* never before queue_tell() returned */
    struct queue_id id;                  /* zero: by address */
    struct str address;                  /* borrowed until done */
    size_t limit;                        /* at most so many; 0: ten */
    size_t found;
    int result;
    void *owner;
    void *impl;
};
void queue_tell(struct queue *q, struct queue_why *why);

/* Ends a request early: its `done` runs soon, with what was found so far (result -ECANCELED). A
 * change under way is carried out. */
void queue_ask_cancel(struct queue_request *request);
void queue_tell_cancel(struct queue_why *why);

struct queue_counts {
    uint64_t messages;
    uint64_t active; /* being worked on */
    uint64_t held;
    uint64_t sites;      /* known now */
    uint64_t sites_down; /* that cannot be reached now */
    uint64_t jobs;       /* deliveries under way */
};
void queue_count(const struct queue *q, struct queue_counts *counts);
