/* control.h: the control socket of a running server: what the verbs ask of it. A local socket; each
 * line is a JSON object, and so is each line of the answer, the last with the member "done".
 * request.h names the questions, answer.h the answers. An asker who closes his end before that
 * breaks off what he asked; one who does not read slows down nobody but himself. On the home
 * loop. */
#pragma once

#include "config/config.h"
#include "core/base/list.h"
#include "path/queue/queue_control.h"
#include "port/net.h"

enum {
    CONTROL_CLIENTS_MAX = 16,
    CONTROL_LINE_MAX = 64 << 10,   /* octets of a question */
    CONTROL_UNSENT_MAX = 16 << 20, /* of stories; the rest are left out, and that is said */
};

struct control_office {
    /* Set by the caller: */
    const struct ports *ports;
    struct queue *queue;
    struct spool *spool;

    /* Its own: */
    struct net_listener listener;
    struct list clients;
    size_t client_count;
    const struct config *config; /* held */
    struct arena arena;
    bool open;
};

/* Listens at config->control_path. 0 or -errno. */
NODISCARD int control_open(struct control_office *office, const struct config *config);
/* What is told follows `config`; the socket stays where it is until the server is started anew. */
void control_reload(struct control_office *office, const struct config *config);
void control_close(struct control_office *office);
