/* recover.h: opening the log, in steps: folders and lock, the roll (roll_call.c), segment headers
 * (recover.c), the records
 * of each segment, latest first, for it tells where earlier ones end (scan.c), what may not be
 * durable yet (settle.c), bodies in files, and at last the index (restore.c). */
#pragma once

#include "path/spool/inside.h"
#include "path/spool/recovered.h"

struct recovery {
    struct spool_log_open *op;
    struct spool_log *log;
    struct disk_op disk_op;
    struct arena names_in; /* a folder's names */
    struct str *names;
    size_t name_count, name;
    unsigned step;

    char header[SEGMENT_START];
    uint64_t file_size;
    struct roll roll; /* as it was; zeros: there is none */
    char *roll_bytes;
    struct roll_entry roll_begins;
    struct segment *segment;
    struct segment_header *headers; /* of segments in use, latest first once read */
    size_t header_count, header_cap;

    size_t scanning; /* in `headers` */
    struct segment_end *ends;
    size_t end_count, end_cap;
    bool told;       /* the end of the segment being scanned is known */
    uint64_t noted;  /* by the roll: the newest is durable up to here */
    uint64_t limit;  /* where its records end at the latest */
    uint64_t offset; /* read so far */
    char *bytes;
    uint32_t room; /* of scan.c: for so many */
    uint32_t size;
    uint64_t claimed; /* up to here the newest segment was durable, by what its records say */
    bool searching;   /* from a bad record on, for good ones behind it */

    struct str piece; /* being written */
    struct disk_pieces pieces;

    struct recovered_set found;
    struct recovered *body; /* its file is being looked at */
};

/* Ends it with an error; the reason is printed by the caller before, or empty. */
void recovery_fail(struct recovery *r, int error);
void recovery_damage(struct recovery *r, const char *what, const char *file, uint64_t offset);
/* Notes where a segment ends; what was noted first stands. False: no memory. */
NODISCARD bool recovery_end_told(struct recovery *r, struct segment_end end);
void recovery_roll(struct recovery *r); /* roll_call.c; then recovery_segments() */
void recovery_segments(struct recovery *r);
/* Whether all that the roll names are there; false: the recovery is over. */
NODISCARD bool recovery_roll_answers(struct recovery *r);
uint64_t recovery_roll_end(const struct recovery *r, uint64_t generation); /* 0: not told */
void recovery_roll_begin(struct recovery *r); /* then recovery_bodies() */
void recovery_scan(struct recovery *r);       /* scan.c; then recovery_settle() */
void recovery_settle(struct recovery *r);     /* settle.c; then recovery_roll_begin() */
void recovery_bodies(struct recovery *r);     /* bodies.c; then recovery_restore() */
void recovery_restore(struct recovery *r);    /* restore.c; the end */
void recovery_free(struct recovery *r);
