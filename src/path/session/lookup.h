/* lookup.h: one of the two checks of core/dns/hostcheck.h under way: its questions asked of the
 * resolver, its answers given back. */
#pragma once

#include "core/dns/hostcheck.h"
#include "port/ports.h"

struct lookup;

/* What is found is in `check` (and its memory goes) when `done` returns. It may run before the
 * start returned, which then gives null; null also means no memory (and then `done` does not run).
 * `helo` empty: the reverse lookup of `ip`. */
struct lookup_request {
    const struct ports *ports;
    struct ip ip;
    struct str helo;
    void (*done)(void *owner, const struct hostcheck *check);
    void *owner;
};
struct lookup *lookup_start(const struct lookup_request *request);
/* Settles what is open as temporary: `done` runs within. */
void lookup_give_up(struct lookup *l);
void lookup_cancel(struct lookup *l); /* `done` will not run; null is fine */
