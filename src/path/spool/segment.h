/* segment.h: one file of the spool's log. Its first 4 KiB are a header, in two copies of a sector
 * each; records follow. A segment in use has a generation, greater than all before it; a freed one
 * is taken again under a new generation and keeps its blocks, so that a sync into it needs no
 * journal of the file system. The header and the accounts are pure; pool.h does the I/O. */
#pragma once

#include "core/base/str.h"
#include "port/disk.h"

enum {
    SEGMENT_START = 4096, /* where records begin */
    SEGMENT_ENDS = 16,    /* ends that one header can tell */
};

/* Where an earlier segment's records end: behind it nothing counts, before it all must be whole. */
struct segment_end {
    uint64_t generation;
    uint64_t end;
};

struct segment_header {
    bool in_use;
    uint64_t generation; /* FREE: the one it had, or 0 */
    uint32_t nonce;      /* random, drawn for each use */
    uint32_t slot;
    uint64_t size;
    struct segment_end ends[SEGMENT_ENDS]; /* of segments used before it, newly told */
    size_t end_count;
};

void segment_header_write(const struct segment_header *h, char out[SEGMENT_START]);
enum segment_header_result { HEADER_OK, HEADER_BLANK, HEADER_BAD };
/* The better one of the two copies. BLANK: shorter than a header, or zeros: never used. */
NODISCARD enum segment_header_result segment_header_read(struct str bytes,
                                                         struct segment_header *h);
/* What seeds the CRC of its records. */
uint32_t segment_seed(uint64_t generation, uint32_t nonce);

enum segment_state { SEGMENT_BUILDING, SEGMENT_FREE, SEGMENT_TAIL, SEGMENT_SEALED };

struct segment {
    enum segment_state state;
    uint32_t slot; /* names the file */
    uint32_t nonce;
    uint32_t seed;
    uint64_t generation;
    uint64_t size;
    uint64_t end;      /* behind the last durable record; 0: not even the header is */
    bool written;      /* all its blocks were written once: no write into it needs space */
    bool suspect;      /* a sync failed: never used again */
    bool damaged;      /* salvage skipped bytes in it: its file is kept aside when freed */
    bool leaves;       /* the roll names it no more: it is being given back */
    bool stuck;        /* cannot be read or freed: compaction leaves it alone */
    uint64_t teller;   /* generation of the segment that tells its end; 0: none yet */
    uint64_t live;     /* bytes of records that count */
    uint64_t tombs;    /* bytes of remove records */
    uint64_t born_min; /* the smallest `born` of those */
    uint32_t pins;     /* readers that need its bytes to stay */
    struct disk_file *file;
};

/* Bytes that one segment has for records. */
static inline uint64_t segment_room(const struct segment *s)
{
    uint64_t at = s->end < SEGMENT_START ? SEGMENT_START : s->end;
    return s->size > at ? s->size - at : 0;
}
