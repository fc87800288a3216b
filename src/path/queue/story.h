/* story.h: all that is known of one message, from its arrival to its end: what the queue and the
 * history tell of it, and story_text.h puts into words. */
#pragma once

#include "core/mail/outcome.h"

/* What a live message waits for now. */
enum story_wait_kind {
    WAIT_NOTHING,   /* finished */
    WAIT_TURN,      /* it is due, and as many messages as may be are being worked on: `limit` */
    WAIT_TIME,      /* for its next attempt */
    WAIT_SITE_FULL, /* for a connection: the site has as many as it may have now, `limit` */
    WAIT_SITE_DOWN, /* the site cannot be reached, and is tried again at `until` */
    WAIT_HELD,      /* for an operator to release it */
    WAIT_ROUTE,     /* for the DNS or the aliases to tell the way */
    WAIT_DELIVERY,  /* for a delivery under way */
    WAIT_DISK,      /* for the spool to keep what happened */
    WAIT_REPORT,    /* for a report to its sender to be made */
    WAIT_RELEASE,   /* for the time until which its sender wants it held (RFC 4865) */
};

struct story_wait {
    enum story_wait_kind kind;
    struct instant since; /* zero: unknown */
    struct instant until; /* TIME, SITE_DOWN, RELEASE */
    struct str site;      /* SITE_FULL, SITE_DOWN, DELIVERY */
    struct str reason;    /* SITE_DOWN: what the last attempt of any message there met with */
    uint32_t limit;
};

struct story {
    struct envelope envelope;
    struct outcome *outcomes; /* every event, in order */
    size_t outcome_count;
    struct story_wait wait;
    struct instant next;     /* the next attempt; zero: none is planned */
    struct instant give_up;  /* when it is given up; zero: unknown */
    struct instant finished; /* zero: it is still in the queue */
};

/* Reads the envelope and the outcomes that the spool or the history kept. Texts are slices of
 * `envelope` and `outcomes`, arrays are in `arena`. False: damaged, or no memory. */
NODISCARD bool story_read(struct str envelope, struct str outcomes, struct arena *arena,
                          struct story *story);

/* Whether it has this sender or recipient (of the envelope or of an expansion), in any case. */
bool story_is_about(const struct story *story, struct str address);
