/* chain.h: a question followed along CNAMEs to its end (RFC 1034 3.6.2, RFC 5321 5.1): a machine.
 * An answer that holds a piece of the chain is walked as far as it goes; what is missing is asked.
 *
 * A recursive resolver reports a loop of CNAMEs as SERVFAIL, which looks like a fault that will
 * pass. So after a SERVFAIL the chain is walked by asking for the CNAMEs one by one: only if no
 * loop shows is it temporary. */
#pragma once

#include "core/dns/message.h"
#include "core/dns/question.h"

enum { CHAIN_MAX = 10 }; /* CNAMEs in a row */

enum chain_verdict {
    CHAIN_ASKING,
    CHAIN_FOUND,     /* records of the type stand at the end: chain_record_next() */
    CHAIN_NODATA,    /* the end exists and has none */
    CHAIN_NXDOMAIN,  /* the end does not exist */
    CHAIN_LOOP,      /* a CNAME leads back: permanent */
    CHAIN_TOO_LONG,  /* over CHAIN_MAX: permanent */
    CHAIN_TEMPORARY, /* SERVFAIL, time-out, forged, broken, no memory: `reason` */
};

struct chain {
    enum chain_verdict verdict;
    uint16_t type;
    bool secure;        /* every answer on the way was */
    struct str end;     /* the name at the end, or where it broke off; in the arena */
    const char *reason; /* TEMPORARY: in words */

    /* Its own: */
    struct arena *arena;
    struct dns_notes *notes;
    struct str names[CHAIN_MAX + 1]; /* every name so far; the last one is asked about */
    size_t name_count;
    bool asked;          /* the question is out */
    bool stepping;       /* asking for CNAMEs one by one */
    size_t stepped_from; /* how many names there were when that began */
    struct dns_message message;
};

/* `name` is copied into the arena; `notes` gets each step, and may be null. */
void chain_start(struct chain *c, struct arena *arena, struct dns_notes *notes, struct str name,
                 uint16_t type);
bool chain_question(struct chain *c, struct dns_question *question); /* false: none now */
void chain_answer(struct chain *c, const struct dns_answer *answer);

/* CHAIN_FOUND: the records, as they came. The message is kept in the arena. */
struct dns_record_iter chain_records_begin(const struct chain *c);
bool chain_record_next(const struct chain *c, struct dns_record_iter *it,
                       struct dns_record *record);
