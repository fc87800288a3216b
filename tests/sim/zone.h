/* zone.h: what a DNS knows, in memory: records and faults, written as in a zone file. It answers as
 * a recursive resolver does (`chase`: CNAMEs followed, a circle of them a SERVFAIL) or as one that
 * leaves CNAMEs to the asker. Answers are real DNS messages. Zeroed memory is an empty zone. */
#pragma once

#include "core/base/instant.h"
#include "core/dns/build.h"

enum zone_fault {
    ZONE_NO_FAULT,
    ZONE_SERVFAIL,
    ZONE_REFUSED,
    ZONE_TIMEOUT, /* no answer at all */
    ZONE_BROKEN,  /* the resolver gives up without a message */
    ZONE_FORGED,  /* DNSSEC */
    ZONE_GARBAGE, /* bytes that are no DNS message */
    ZONE_WRONG,   /* an answer to another question */
};

struct zone_entry {
    struct zone_entry *next;
    struct str name;
    uint16_t type; /* 0 in faults: any */
    struct str data;
    enum zone_fault fault;
    struct span late;
    bool is_fault;
};

struct zone {
    struct arena arena;
    struct zone_entry *first, *last;
    bool chase;
    bool secure; /* what DNSSEC would say of every answer */
};

void zone_done(struct zone *z);
/* "example.org MX 10 mx1.example.org": types A AAAA CNAME PTR NS MX TXT TLSA. Anything else stops
 * the test. */
void zone_add(struct zone *z, const char *line);
/* From now on questions for that name and type (0: any type) fail so; ZONE_NO_FAULT heals. */
void zone_break(struct zone *z, const char *name, uint16_t type, enum zone_fault fault);
/* Answers about that name take so long. */
void zone_delay(struct zone *z, const char *name, struct span late);

struct zone_answer {
    enum zone_fault fault; /* TIMEOUT, BROKEN, FORGED: there is no message */
    struct buf message;    /* the caller's to free */
    struct span late;
};
void zone_ask(const struct zone *z, struct str name, uint16_t type, struct zone_answer *answer);
