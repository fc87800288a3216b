/* asker.h: the worker's way to the key process: a signer for one loop's thread. */
#pragma once

#include "tls/remote_key.h"

struct key_asker {
    struct key_signer signer;
    /* A socket to the key process, or -errno. */
    int (*connect)(void *owner);
    void *owner;
    int socket; /* -1: none now */
};

void key_asker_open(struct key_asker *asker, int (*connect)(void *owner), void *owner);
void key_asker_close(struct key_asker *asker);
