/* log.h: the log-structured spool (DESIGN section 7): recycled segments, group commit, recovery. */
#pragma once

#include "path/spool/spool.h"
#include "port/ports.h"

struct spool_log_options {
    struct str folder;
    uint64_t segment_size; /* bytes; 0: 64 MiB */
    uint64_t reserve;      /* bytes kept free for outcomes and reports when the disk is full; 0: one
                              segment */
    uint64_t inline_limit; /* bodies up to here stand in the log; 0: 1 MiB */
};

/* Opening: recovery reads every segment and tells `found` of each message, then `done` runs with 0
 * and `spool` set, or with -errno and `reason` (a text for people: which file, which offset, what
 * to do). -EAGAIN: another process has it open. -EBADMSG: damage that is not a torn tail; nothing
 * was changed. The caller keeps the struct until done. */
struct spool_log_open {
    void (*found)(struct spool_log_open *op, const struct spool_found *message);
    void (*done)(struct spool_log_open *op);
    const struct ports *ports;
    struct spool_log_options options;
    bool salvage; /* skip over damage, keep all that is readable, report how much was lost */
    int result;
    struct spool *spool;
    char reason[256];
    uint64_t salvaged; /* messages whose record was damaged and could not be read */
    void *owner;
    void *impl;
};

void spool_log_open(struct spool_log_open *op);
