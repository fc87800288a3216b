/* pickup.h: the pickup folder, <spool>/pickup/: messages that `postrider send` left there because
 * the server was down. Each is taken into the spool, and its file removed when it is durable there;
 * what cannot be read is moved to <spool>/pickup/damaged/. On the home loop. */
#pragma once

#include "config/config.h"
#include "core/mail/envelope.h"
#include "path/spool/draft.h"

struct pickup_office {
    /* Set by the caller: */
    const struct ports *ports;
    struct draft_office *drafts;
    struct queue_id_maker *ids;

    /* Its own: */
    struct arena names;
    struct arena work; /* of the file being read */
    const struct config *config;
    struct str folder;
    struct timer timer;
    struct disk_op op;
    void (*then)(struct pickup_office *office);
    struct str *files;
    size_t file_count, file_next;
    struct str path;
    struct disk_file *file;
    struct envelope envelope;
    struct draft *draft;
    struct str piece;
    uint64_t offset;
    bool stopped;
    bool busy; /* an operation is under way */
};

/* `config` is borrowed until pickup_reload() or pickup_stop(). */
void pickup_start(struct pickup_office *office, const struct config *config);
void pickup_reload(struct pickup_office *office, const struct config *config);
void pickup_stop(struct pickup_office *office);
/* After the loop is freed: gives back what a stop in the middle of a file left. */
void pickup_done(struct pickup_office *office);
