/* inside.h: what the files of this folder share: the queue, its entries at rest, and the messages
 * being worked on. Nobody else includes it.
 *
 * A message is an entry for life. It is at rest (in the heap under the time when it is looked at
 * next, perhaps also in one site's line), or it has an `active`: its envelope, state and outcomes
 * in memory. An active works in turns: every completion ends in active_turn(), which starts what
 * can be started and, when nothing is under way, decides what follows: another round, a report,
 * rest, or the end. */
#pragma once

#include "core/base/slab.h"
#include "path/queue/history.h"
#include "path/queue/queue.h"
#include "path/queue/queue_control.h"
#include "path/queue/site.h"
#include "path/queue/state.h"

enum {
    MESSAGE_ROUTES = 16,             /* questions to the route stage at once, per message */
    MESSAGE_JOBS = 20,               /* deliveries at once, per message */
    ROUND_RCPTS = 1000,              /* recipients in one round */
    REPORT_RCPTS = 500,              /* recipients in one report */
    OUTCOME_TEXT = 4096,             /* octets kept of a reply */
    STORY_MAX = HISTORY_OUTCOMES_MAX /* octets of durable outcomes kept at hand, per message */
};
#define ENTRY_NEVER INT64_MAX

enum entry_flag {
    ENTRY_HELD = 1,         /* all that is left of it is held */
    ENTRY_FORCED = 2,       /* an operator wants it tried now */
    ENTRY_IN_LINE = 4,      /* in `site`'s line */
    ENTRY_PROMISED = 8,     /* woken: `site` keeps a place for it */
    ENTRY_CHECKED_OUT = 16, /* an operator's change is being written */
    ENTRY_READY = 32        /* its time has come: in `ready`, not in `due` */
};

struct entry {
    struct queue_id id;
    struct heap_node due; /* always in `due` or READY; ENTRY_NEVER while nothing is planned */
    struct map_node by_id;
    struct heap_node in_line;
    struct site *site; /* IN_LINE, PROMISED */
    struct active *active;
    struct instant arrived;
    struct instant begins; /* what is retried is counted from here: envelope_begins() */
    struct instant since;  /* at rest since */
    uint32_t open;         /* recipients not done */
    uint16_t flags;
    int8_t priority;
    uint16_t attempts; /* the most that one of them has had */
};

struct queue {
    const struct ports *ports;
    struct spool *spool;
    const struct config *config; /* held */
    struct queue_hands hands;
    struct map by_id;
    struct slab entries;
    struct heap due;   /* by time */
    struct heap ready; /* whose time has come, by priority; both have room for all entries */
    struct sites sites;
    struct timer timer;
    struct list actives;
    size_t active_count;
    uint64_t held;
    uint64_t jobs;
    struct list requests; /* of operators, under way */
    struct list tellings; /* likewise */
    struct history *history;
    bool started;
    bool stopping;
    void (*stopped)(void *owner);
    void *stopped_owner;
};

struct active {
    struct list link;
    struct list waiters; /* of operators: for it to come to rest */
    struct queue *queue;
    struct entry *entry;
    const struct config *config; /* held */
    struct arena arena;
    struct arena round; /* what routing brought */
    struct spool_get get;
    struct envelope envelope; /* its recipients are the state's */
    struct state state;
    struct instant began;
    struct buf news;   /* outcomes that the spool has not been given yet, encoded */
    struct buf saving; /* those before, until they are durable */
    struct buf story;  /* the first of this activity that are durable, for `why` and the history */
    bool story_cut;    /* there are more, in the spool alone */
    struct spool_mark mark;
    struct queue_report report;
    struct rcpt **told; /* whom the report is about */
    struct site *promised;
    struct timer timer;       /* after a spool that failed */
    struct instant due_after; /* trouble of our own: not to be taken up before; zero: none */
    uint32_t routes_out;
    uint32_t jobs_out;
    uint32_t due_count;
    size_t cursor; /* nobody before it is WORK_DUE, but those of a domain that is being asked for */
    size_t alone;  /* those before it are asked for one by one */
    /* All that have work stand from `low` to before `high`: of 100,000 recipients, those of one
     * round. */
    size_t low, high;
    uint32_t parked;             /* with their ways, in the round */
    uint32_t asides;             /* parked too, aside */
    const struct routing *aside; /* the newest way of such */
    bool loaded;
    bool marking;
    bool finishing;
    bool reporting;
    bool forced;
    bool report_failed;
    bool broken; /* no memory, or gone from the spool: nothing more is begun */
    bool gone;
};

/* queue.c */
struct instant queue_now(const struct queue *q);
struct entry *entry_find(const struct queue *q, struct queue_id id);
void entry_free(struct queue *q, struct entry *e);
void entry_leave_line(struct queue *q, struct entry *e); /* and gives a promise back */
void entry_plan(struct queue *q, struct entry *e, struct instant due); /* to be looked at then */
void queue_arm(struct queue *q);
void queue_wake_site(struct queue *q, struct site *site); /* may free the site */
void queue_check_stopped(struct queue *q);

/* rest.c: laying a message to rest. */
/* Sets when the entry is looked at next, from the state of its message. Its work fields count. */
void entry_rest(struct queue *q, struct entry *e, const struct state *s, struct instant not_before);
/* What it waits for; texts are borrowed from sites and actives. */
void entry_wait(const struct queue *q, const struct entry *e, struct story_wait *wait);
struct instant entry_next(const struct entry *e, const struct state *s);

/* deadline.c */
struct instant message_give_up(const struct config *config, const struct envelope *envelope);
struct instant rcpt_give_up(const struct config *config, const struct envelope *envelope,
                            const struct rcpt *r);
/* It is not to be delivered any more: its sender wants it back (mode R of RFC 2852). */
bool deadline_passed(const struct envelope *envelope, const struct rcpt *r, struct instant now);
/* An attempt that is `planned` for when its time is over comes half-way to there instead, unless
 * little is left. */
struct instant deadline_retry(const struct envelope *envelope, const struct rcpt *r,
                              struct instant now, struct instant planned);
/* It is given up without another attempt; `site`: what it waits for, or null. */
void give_up_waiting(struct active *a, struct rcpt *r, const struct site *site);

/* active.c */
void active_begin(struct queue *q, struct entry *e);
void active_turn(struct active *a);
void active_free(struct active *a);

/* record.c */
/* Notes what happened: in the state, among what is to be made durable, and in the log. */
void active_record(struct active *a, const struct outcome *o);
void active_save(struct active *a);
bool active_unsaved(const struct active *a);
/* All outcomes that are at hand, appended; if the story was cut, not all that there are. */
void active_outcomes(const struct active *a, struct buf *out);
void active_finish(struct active *a);

/* routing.c, sending.c, reporting.c */
NODISCARD bool round_begin(struct active *a); /* false: nobody is due */
void routing_start(struct active *a);
/* A mailbox that was delivered to sends it on: the addresses become recipients, as of an alias. */
void routing_forwarded(struct active *a, struct rcpt *r, const struct outcome *o);
void sending_start(struct active *a);
NODISCARD bool sending_unpark(struct active *a); /* true: some have room now */
bool reporting_due(const struct config *config, const struct state *state, struct instant now);
void reporting_start(struct active *a);
/* When a delay notice about the recipient is due; zero: never. */
struct instant notice_time(const struct config *config, const struct envelope *envelope,
                           const struct rcpt *r);
bool rcpt_is_forced_by(const struct rcpt *r, const struct site *site);

/* queue_log.c */
void queue_log_outcome(const struct queue *q, const struct envelope *envelope, const struct rcpt *r,
                       const struct outcome *o);
void queue_log_id(const struct queue *q, enum log_level level, const char *event,
                  struct queue_id id, struct str text);

/* selector.c */
/* What can be said of the message without reading it. */
bool selector_fits_entry(const struct queue_selector *s, const struct entry *e, struct instant now);
bool selector_fits(const struct queue_selector *s, const struct state *state);
/* Whether what is done to the message concerns this recipient. */
bool selector_fits_rcpt(const struct queue_selector *s, const struct rcpt *r);

/* item.c */
enum queue_item_state entry_state(const struct entry *e);
/* Tells `each` of it, if there is one. Without memory it is not told. */
void item_tell(struct queue *q, struct queue_request *request, const struct entry *e,
               const struct state *state);

/* control.c, tell.c */
void control_resume(struct queue *q, struct active *a); /* it came to rest, or is gone */
void control_drop(struct queue *q);                     /* ends all requests soon */
void control_free(struct queue *q);                     /* the world stopped: frees them */
void tell_drop(struct queue *q);
void tell_free(struct queue *q);
/* Every message's id, in the heap; null with a count of 0: none, or no memory. */
struct queue_id *control_ids(const struct queue *q, size_t *count);
