#pragma once
/* What the instruments share: addresses, time, sockets. A fault ends the program with a message:
 * a measurement with a fault in it is none. */
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

_Noreturn void die(const char *what);

/* A number from the command line, within limits. */
long number(const char *text, long least, long most);

/* ADDRESS:PORT of IPv4. */
struct sockaddr_in address_of(const char *text);

/* Nanoseconds of the monotonic clock. */
uint64_t now_ns(void);

/* A non-blocking listening socket; `shared` lets several processes listen side by side. */
int listen_at(struct sockaddr_in at, bool shared);

/* A non-blocking connection under way, from 127.0.0.1 + `source` if that is not 0. */
int connect_to(struct sockaddr_in at, unsigned source);

/* As many descriptors as the machine lets us have. */
void want_descriptors(void);
