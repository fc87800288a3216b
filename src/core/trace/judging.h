/* judging.h: the parts of trace_judge(), shared by its files. Each looks at the whole trace and
 * adds reasons; judgement.c sums up. */
#pragma once

#include "core/trace/judgement.h"
#include "core/trace/rules.h"

/* How a line fits below the one above it. */
enum link_kind {
    LINK_TOP,     /* nothing is above */
    LINK_NAME,    /* the same host by name */
    LINK_ADDRESS, /* …by address, as the DNS says */
    LINK_ORGANISATION,
    LINK_LOCAL,   /* inside one host or a private network */
    LINK_HELO,    /* only what the client called itself fits */
    LINK_UNKNOWN, /* nothing can be compared */
    LINK_BROKEN,
};

struct link {
    struct str house; /* the public name of the host above, by its own lines; empty: unknown */
    enum link_kind kind;
    size_t upper; /* the line above that says from whom it received; TRACE_NONE */
    int weight;   /* where it is broken: less where honest mail has such gaps too */
    bool by_rdns; /* the name that fits was found in the DNS, by the receiver */
};

struct judge {
    struct trace *t;
    struct arena *arena;
    const struct trace_trust *trust;
    struct link *links;    /* of each hop to the one above */
    struct str sender;     /* the envelope's sender's domain, empty: not said */
    struct str message_id; /* the host that made the Message-ID, empty: not said */
    int64_t now;
    int64_t age_days; /* of the message; 0 where the present or the message's time is unknown */
    bool consulted[RULE_COUNT];
    bool failed; /* no memory */
};

/* Adds a reason to a hop, or to the message (TRACE_NONE). `weight` as the table has it or less;
 * rules that age count half on an old message. */
void judge_add(struct judge *j, size_t hop, enum rule rule, int weight, struct str text);
/* The same with the table's weight. */
void judge_note(struct judge *j, size_t hop, enum rule rule, struct str text);

/* The answer to what was asked about a hop; null if nobody answered. */
const struct trace_question *judge_answer(struct judge *j, const struct trace_hop *hop,
                                          enum trace_about about, enum rule rule);
bool answer_has_ip(const struct trace_question *answer, struct ip ip);

/* In this order. */
void judge_links(struct judge *j);      /* link.c */
void judge_boundary(struct judge *j);   /* boundary.c: `trusted`, `boundary` */
void judge_continuity(struct judge *j); /* continuity.c: reasons of the links */
void judge_addresses(struct judge *j);  /* address.c */
void judge_times(struct judge *j);      /* time.c */
void judge_forms(struct judge *j);      /* form.c */
void judge_placement(struct judge *j);  /* placement.c */
void judge_witnesses(struct judge *j);  /* corroboration.c */

/* A hop that hands over from one program of a host to the next, without a client: no "from", no
 * "by" ("(qmail 777 invoked from network)"). */
bool hop_is_transparent(const struct received *r);
/* The message came to be on that host: of a user there, by HTTP, by a program. */
bool hop_is_local_submission(const struct trace_hop *hop);
/* Names and addresses cut to a length that a sentence bears. */
struct str shown(struct str text);
