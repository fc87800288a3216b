/* hostcheck.h: who is a client, and is its HELO name its own? Two machines in one struct, for they
 * need the same things:
 *
 * - hostcheck_reverse(): the names of an address by PTR (five at most), each looked up again; the
 *   first whose A or AAAA is the address is the verified name ("iprev", RFC 8601 section 3). It can
 *   start when the connection comes.
 * - hostcheck_helo(): whether the name given in HELO resolves to the address (RFC 5321 4.1.4: a
 *   finding, no ground for refusing mail by itself). An address literal is compared at once.
 *
 * Use: start; then, until `done`, take every question with hostcheck_question(), ask it, and give
 * the answer to hostcheck_answer(), after which there may be further questions. CNAME chains are
 * followed. When nothing more is to be waited for, hostcheck_give_up() settles what is open as
 * temporary. Names and notes live in `arena`. */
#pragma once

#include "core/base/ip.h"
#include "core/dns/chain.h"

enum hostcheck_reverse_finding {
    REVERSE_OPEN,      /* not known yet */
    REVERSE_VERIFIED,  /* `name` */
    REVERSE_NONE,      /* no PTR record */
    REVERSE_MISMATCH,  /* names, none of which leads back: `claimed` is the first */
    REVERSE_TEMPORARY, /* the DNS did not answer */
};

enum hostcheck_helo_finding {
    HELO_OPEN,       /* not known yet */
    HELO_MATCHES,    /* resolves to the address, or is the address as a literal */
    HELO_ELSEWHERE,  /* resolves, but not to it */
    HELO_UNRESOLVED, /* no such name, no address, or no name at all */
    HELO_TEMPORARY,  /* the DNS did not answer */
};

enum { HOSTCHECK_NAMES_MAX = 5, HOSTCHECK_SLOTS = 5 };

struct hostcheck {
    bool done;
    enum hostcheck_reverse_finding reverse;
    struct str name;    /* VERIFIED: in lower case */
    struct str claimed; /* what the first PTR said, where it is not verified; empty: nothing */
    enum hostcheck_helo_finding helo;
    struct dns_notes notes;

    /* Its own: */
    struct arena *arena;
    struct ip ip;
    bool of_helo, forward; /* which machine; reverse: the names are being looked up */
    size_t slot_count;
    struct {
        struct chain chain;
        struct str name;
        bool settled;
        bool matches;
    } slots[HOSTCHECK_SLOTS];
};

void hostcheck_reverse(struct hostcheck *h, struct arena *arena, struct ip ip);
/* `helo` as the client wrote it; U-labels are looked up as A-labels. */
void hostcheck_helo(struct hostcheck *h, struct arena *arena, struct ip ip, struct str helo);

bool hostcheck_question(struct hostcheck *h, struct dns_question *question); /* false: none now */
void hostcheck_answer(struct hostcheck *h, uint32_t id, const struct dns_answer *answer);
void hostcheck_give_up(struct hostcheck *h);
