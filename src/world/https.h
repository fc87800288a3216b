/* https.h: port/https.h for all loops, by libcurl on a thread of its own. */
#pragma once

#include "port/https.h"
#include "port/inbox.h"

struct https_service;
struct loop_https;

/* `authorities`: a file in PEM, read now; null: the system's. Null: no memory, or no such file. */
NODISCARD struct https_service *https_service_new(const char *authorities);
/* When no loop uses it any more; ends what is under way. Null is fine. */
void https_service_free(struct https_service *service);

/* A loop's own end of it. `inbox` is the loop's. Null: no memory. */
NODISCARD struct https *https_of_loop(struct https_service *service, struct inbox *inbox);
/* After the loop stopped and the service is freed. Null is fine. */
void https_free(struct https *https);
