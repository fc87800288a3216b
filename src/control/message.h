/* message.h: a message of the queue, read from the spool for the asker piece by piece: our
 * additions, then what was received. Pinned while it is read. On the home loop. */
#pragma once

#include "path/spool/spool.h"
#include "port/ports.h"

enum { CONTROL_PIECE = 48 << 10 };

struct control_message {
    void (*each)(struct control_message *m, struct str piece); /* borrowed for the call */
    void (*done)(struct control_message *m); /* never before control_message_start() returned */
    const struct ports *ports;
    struct spool *spool;
    struct queue_id id;
    bool paused;   /* `each` may set it: nothing is read until control_message_resume() */
    uint64_t size; /* done: octets told */
    int result;    /* done: 0, -ENOENT, -ECANCELED, -errno */
    void *owner;

    /* Its own: */
    struct arena arena;
    struct spool_get get;
    struct disk_op read;
    uint64_t at; /* of the body */
    char *piece;
    bool cancelled;
    bool reading;
};

/* Zeroed but for the first part. */
void control_message_start(struct control_message *m);
void control_message_resume(struct control_message *m); /* fine if it is not paused */
/* `done` runs soon. */
void control_message_cancel(struct control_message *m);
