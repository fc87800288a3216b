/* question.h: what a machine of this folder wants to know and what it is told. A machine hands out
 * questions one by one, as many as it can use at once; the caller asks them, in any way and at any
 * time, and gives each answer back with the question's `id`. */
#pragma once

#include "core/base/arena.h"

struct dns_question {
    uint32_t id;     /* the machine's: goes back with the answer */
    struct str name; /* without the final dot; good until the machine is given the answer */
    uint16_t type;
};

enum dns_arrival {
    DNS_ARRIVED, /* `message` came, whatever its RCODE */
    DNS_TIMEOUT, /* nobody answered in time */
    DNS_BROKEN,  /* no usable answer: like SERVFAIL */
    DNS_FORGED,  /* DNSSEC says so: like SERVFAIL */
};

struct dns_answer {
    enum dns_arrival arrival;
    bool secure;        /* validated by DNSSEC */
    struct str message; /* borrowed for the call */
};

/* What a machine saw and decided, in words, in order: for people. In an arena. */
struct dns_note {
    struct dns_note *next;
    struct str what;
};

struct dns_notes {
    struct arena *arena;
    struct dns_note *first, *last;
    size_t count;
};

void dns_note_add(struct dns_notes *notes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
