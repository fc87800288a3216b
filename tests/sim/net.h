/* net.h: a network in memory. One wire joins hosts; each host is a `struct net` of its own with its
 * addresses. Bytes, connections and ends travel as events of the simulation, each taking the wire's
 * delay; faults are set per destination. Nothing calls back from inside a call. */
#pragma once

#include "core/base/buf.h"
#include "core/base/instant.h"
#include "core/base/list.h"
#include "port/net.h"
#include "port/timer.h"

/* What befalls connections to an endpoint, seen from the connecting side. Zero: nothing. */
struct sim_fault {
    struct endpoint at; /* port 0: any; family IP_NONE: any address */
    bool refuse;        /* -ECONNREFUSED */
    bool silent;        /* a connection is never made, and never refused */
    bool deaf;          /* made, but the bytes sent up arrive nowhere */
    struct span delay;  /* one way, in place of the wire's; zero: the wire's */
    size_t piece;       /* most bytes that one data() brings, either way */
    size_t split_up;    /* a data() to the server ends after this many bytes of the stream */
    size_t split_down;  /* the same to the client */
    size_t cut_up;      /* broken (-ECONNRESET at both ends) when so many bytes went up */
    size_t cut_down;    /* … came down */
    unsigned times;     /* how many connections it befalls; 0: all */
    unsigned befell;    /* how many it befell */
};

enum { SIM_FAULTS = 64 };

struct sim_wire {
    struct timers *timers; /* whatever drives the simulation: the wire's events are its timers */
    struct span delay;     /* one way; default 1 ms */
    struct list hosts;
    struct list ends;    /* every stream */
    struct list flights; /* every connect under way */
    struct sim_fault faults[SIM_FAULTS];
    size_t fault_count;
    uint64_t connections; /* made so far */
    uint16_t next_port;
    size_t unsent_most; /* the most that any stream had unsent: what its owner must bound */
    size_t window;      /* octets under way before a stream's are unsent; default 64 KiB */
};

struct sim_host {
    struct net net; /* what the host's ports point to */
    struct sim_wire *wire;
    struct ip ip4, ip6; /* 127.0.0.0/8 and ::1 are its own besides. IP_NONE: it has none, and
                           connects of that family fail -ENETUNREACH */
    struct list listeners;
    struct list link;
};

void sim_wire_init(struct sim_wire *wire, struct timers *timers);
void sim_wire_done(struct sim_wire *wire); /* frees every stream, telling nobody */

/* Texts of addresses; an empty one: none of that family. */
void sim_host_init(struct sim_host *host, struct sim_wire *wire, const char *ip4, const char *ip6);
/* The host loses power: its listeners and streams are gone without an event here; the other ends
 * get end(-ECONNRESET). The host may be used again. */
void sim_host_cut(struct sim_host *host);

/* A fault for "192.0.2.1:25" ("*": all), to be filled in by the caller; the first that matches
 * counts. */
struct sim_fault *sim_fault(struct sim_wire *wire, const char *at);
void sim_faults_clear(struct sim_wire *wire);

/* Whether the other end of a stream still holds it: false as soon as it lets go, though word of
 * that is under way, or lost. */
bool sim_stream_held(const struct stream *stream);

/* Two joined streams, both paused, without hosts: for tests of one machine. */
struct sim_pair {
    struct stream *a, *b;
};
struct sim_pair sim_stream_pair(struct sim_wire *wire);
