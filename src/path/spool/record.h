/* record.h: what stands in the spool's log, as bytes. A record is a head of 64 bytes (length, type,
 * CRC-32C, numbers), then the texts, and for a message its body; little-endian, padded with zeros
 * to 16 bytes. The CRC is seeded by the segment (its generation and a random number), so stale
 * bytes of an earlier use never validate, nor do bytes that a sender made up. It covers all but the
 * body, which has a CRC of its own in the head, so that a reader of the envelope need not read the
 * body. The head has a check of its own, so that a search for records through bytes that a sender
 * chose does not compute long sums in vain. Pure. */
#pragma once

#include "core/base/str.h"

enum record_type {
    RECORD_MESSAGE = 1, /* envelope, additions, outcomes so far, body */
    RECORD_OUTCOME = 2, /* outcomes */
    RECORD_REMOVE = 3,  /* the message is finished */
    RECORD_ENDS = 4, /* where earlier segments end: pairs of generation and offset, 8 bytes each */
};

enum { RECORD_HEAD = 64, RECORD_ALIGN = 16 };

/* Texts and lengths agree. Where `body_file`, the body stands in a file and `body` is empty. */
struct record {
    enum record_type type;
    bool body_file;
    uint32_t synced; /* up to here the segment was durable when this was written */
    uint64_t id;     /* ENDS: 0 */
    /* Outcome records of a message are numbered from 1. OUTCOME: the numbers that it stands for,
     * one or, merged, several. MESSAGE: `last` is the number up to which they are merged into it.
     */
    uint32_t first, last;
    uint64_t born; /* the generation in which the message's first record stands */
    struct str envelope;
    struct str additions;
    struct str outcomes; /* ENDS: its pairs */
    uint64_t body_size;
    uint32_t body_crc; /* 0 for a body in a file */
};

/* Bytes on disk: without padding; before the body; with padding. */
uint64_t record_length(const struct record *r);
uint32_t record_before_body(const struct record *r);
static inline uint64_t record_padded(uint64_t length)
{
    return (length + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

/* Writes the head. The texts follow it on disk in the order of the struct, then the body. */
void record_seal(const struct record *r, uint32_t seed, char head[RECORD_HEAD]);

enum record_result {
    RECORD_OK,
    RECORD_SHORT, /* a head, but not all of the record is in `bytes` */
    RECORD_BAD,   /* not a record */
};

/* Reads the record at the start of `bytes`; texts and `body` (may be null) are slices of them.
 * record_read() wants the body too and checks it; record_read_head() wants what stands before it.
 * On SHORT, `r` has the lengths but nothing was checked. */
NODISCARD enum record_result record_read(struct str bytes, uint32_t seed, struct record *r,
                                         struct str *body);
NODISCARD enum record_result record_read_head(struct str bytes, uint32_t seed, struct record *r);
