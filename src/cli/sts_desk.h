/* sts_desk.h: what a verb needs to use MTA-STS: HTTPS for its loop, and the policies in the spool.
 */
#pragma once

#include "config/config.h"
#include "path/route/sts.h"
#include "world/https.h"
#include "world/loop.h"

struct sts_desk {
    struct https_service *service;
    struct https *https;
    struct arena memory;
    struct sts_office office;
};

/* Zeroed before. Null: not configured, or no memory. `read_only`: what lies in the spool is used
 * and not changed. */
struct sts_office *sts_desk_open(struct sts_desk *desk, const struct config *config,
                                 struct loop *loop, bool read_only);
void sts_desk_stop(struct sts_desk *desk);  /* before the loop is freed; fine if not open */
void sts_desk_close(struct sts_desk *desk); /* after it is */
