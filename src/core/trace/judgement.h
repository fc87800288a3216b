/* judgement.h: what is to be believed of a message's way: its Received fields, linked into a chain
 * and judged rule by rule. Three steps: trace_read() takes the header in; trace_ask() lists what
 * the DNS would be asked, and the caller puts answers where it has them; trace_judge() decides.
 * Without answers it judges by the message alone. Pure, linear in the header's length; all memory
 * is the caller's arena; texts are slices of the message or of that arena. */
#pragma once

#include "core/base/arena.h"
#include "core/trace/received.h"
#include "core/trace/witness.h"

enum { TRACE_HOPS_MAX = 1000, TRACE_WITNESSES_MAX = 2000 };

/* How far one hop, or the whole, is to be believed; worst last. */
enum trace_verdict {
    TRACE_PROVEN,       /* written by a trusted host, or bound by a signature that verifies */
    TRACE_CONSISTENT,   /* all that can be compared agrees */
    TRACE_UNVERIFIABLE, /* nothing speaks for or against it */
    TRACE_SUSPECT,      /* something does not fit, and honest servers have such faults too */
    TRACE_FORGED,       /* no honest server would have left this */
};

/* One line of the table of rules (rules.c): the only place where weights stand. */
struct trace_rule {
    const char *name;    /* "continuity", "rdns-forward", "id-form": stable, for programs */
    const char *meaning; /* one sentence for people */
    int weight;          /* for belief (above 0) or against it (below); -100 alone: forged */
    bool needs_dns;
    bool ages; /* asks today's DNS: weighs half on a message older than 30 days */
};

/* The table, and how many there are. */
const struct trace_rule *trace_rules(size_t *count);

struct trace_reason {
    struct trace_reason *next;
    const struct trace_rule *rule;
    int weight;      /* as it was counted: aged, or by how far it fails */
    struct str text; /* in words, with the names and figures of this message */
};

/* What is asked about a hop; indexes of `trace.questions`, TRACE_NONE if nothing is. */
enum trace_about {
    TRACE_ABOUT_RDNS,
    TRACE_ABOUT_HELO,
    TRACE_ABOUT_BY,
    TRACE_ABOUT_IP,
    TRACE_ABOUTS
};

struct trace_hop {
    struct received received;
    struct str value; /* the field's, with its folds */
    size_t position;  /* which field of the header, from the top, 0 first */
    size_t asked[TRACE_ABOUTS];
    int64_t delay; /* seconds since the hop below wrote its line; TRACE_NO_DELAY if unknown */
    bool trusted;  /* written within the trust boundary */
    int score;     /* sum of the weights */
    enum trace_verdict verdict;
    struct trace_reason *reasons;
};

#define TRACE_NO_DELAY INT64_MIN

/* Something to ask the DNS. The caller fills `answered` and the answer, or leaves it: then the
 * rules that need it are left out, and named in `left_out`. */
enum trace_question_kind {
    TRACE_ASK_ADDRESSES, /* A and AAAA of `name`, through CNAMEs: `ips` */
    TRACE_ASK_NAME,      /* PTR of `ip`: `names` */
    TRACE_ASK_SPF,       /* may `ip` send for the domain `name` (with `helo`)?: `result` */
    TRACE_ASK_DKIM,      /* does the signature at header field `position` verify?: `result` */
    TRACE_ASK_ARC,       /* does the chain of ARC sets validate (RFC 8617 5.2)?: `result` */
};

enum { TRACE_ANSWERS_MAX = 16, TRACE_QUESTIONS_MAX = 256 };

struct trace_question {
    enum trace_question_kind kind;
    struct str name, helo;
    struct ip ip;
    size_t position;

    bool answered; /* an answer came; "no such name" is one too, with a count of 0 */
    struct ip ips[TRACE_ANSWERS_MAX];
    struct str names[TRACE_ANSWERS_MAX];
    size_t count;
    struct str result; /* "pass", "fail", "softfail", "neutral", "none", "temperror", … */
};

/* Who is believed without proof: names of hosts, suffixes (".example.org"), networks. */
struct trace_trust {
    const struct str *names;
    size_t name_count;
    const struct network *networks;
    size_t network_count;
    bool top; /* the top field was written where the message lies */
};

struct trace {
    struct arena *arena;
    struct str message;
    struct trace_hop *hops; /* from the top: 0 is the newest */
    size_t hop_count;
    struct witness *witnesses;
    size_t witness_count;
    struct trace_question *questions;
    size_t question_count;
    struct str body;
    bool truncated; /* more than TRACE_HOPS_MAX fields */
    bool resent;    /* has Resent- fields (RFC 5322 3.6.6): somebody sent it anew, as it stood */

    /* The judgement. Indexes are of `hops`, TRACE_NONE where there is none. */
    enum trace_verdict verdict;
    size_t boundary;       /* the last line written by a trusted host */
    struct ip boundary_ip; /* the peer that it recorded */
    size_t first_forged;
    size_t origin; /* the lowest hop that is believed: it names where the message entered */
    struct ip origin_ip;
    struct str origin_name;
    struct trace_reason *reasons;       /* of the message as a whole */
    const struct trace_rule **left_out; /* rules that nobody answered for */
    size_t left_out_count;
};

#define TRACE_NONE ((size_t)-1)

/* `message`: the whole message or its header; the body's start is looked into as well. False: no
 * memory. A message without Received fields is a trace without hops. */
NODISCARD bool trace_read(struct trace *t, struct arena *arena, struct str message);
/* Lists the questions in `t->questions`, none twice, those of the newest hops first, at most
 * TRACE_QUESTIONS_MAX. False: no memory. */
NODISCARD bool trace_ask(struct trace *t);
/* Decides; may be called again, with more answers or another trust: the last judgement counts.
 * Texts of reasons quote the message and may hold any octet. `now`: Unix seconds, 0 where the
 * present is unknown (nothing is then in the future, or old). False: no memory. */
NODISCARD bool trace_judge(struct trace *t, const struct trace_trust *trust, int64_t now);

const char *trace_verdict_name(enum trace_verdict verdict); /* "proven", … */
