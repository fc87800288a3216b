/* tally.h: what is known for certain of each message that was given to a spool, and the judge of
 * what it tells at its next opening: what was acknowledged is there, whole and once per outcome;
 * what was not is there whole or not at all; and what was once found, or not found, stays so. */
#pragma once

#include "path/spool/spool.h"

enum { TALLY_MESSAGES = 400, TALLY_MARKS = 30 };

enum sure { SURELY_NOT, MAYBE, SURELY };

struct tally_message {
    enum sure put, finished;
    enum sure marks[TALLY_MARKS];
    unsigned mark_count;
    size_t size;
    bool found; /* at this opening */
};

struct tally {
    struct tally_message messages[TALLY_MESSAGES + 1]; /* by id, from 1 */
    unsigned count;
    bool forgiving; /* salvage: messages and outcomes may be lost, or come back; none may change */
};

struct tally_message *tally_new(struct tally *t, size_t size, uint64_t *id); /* null: full */
/* A message's body and envelope, made of its id: `body` has room for its size. */
void tally_body(const struct tally *t, uint64_t id, char *body);
size_t tally_envelope(uint64_t id, char *text, size_t room);
/* The outcome of a mark, four bytes and a NUL. */
void tally_mark(unsigned number, char text[5]);

void tally_opening(struct tally *t, bool forgiving);
void tally_found(struct tally *t, const struct spool_found *found);
void tally_opened(struct tally *t); /* all was found that will be */
