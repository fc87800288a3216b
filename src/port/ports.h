/* ports.h: all that one loop's code may ask of the world. Every loop has its own set; only `inbox`
 * may be used from another loop. */
#pragma once

#include "port/allowances.h"
#include "port/clock.h"
#include "port/crypto.h"
#include "port/disk.h"
#include "port/entropy.h"
#include "port/https.h"
#include "port/inbox.h"
#include "port/log.h"
#include "port/login.h"
#include "port/net.h"
#include "port/program.h"
#include "port/resolver.h"
#include "port/signer.h"
#include "port/tally.h"
#include "port/timer.h"
#include "port/tls.h"

struct ports {
    struct clock *clock;
    struct timers *timers;
    struct entropy *entropy;
    struct disk *disk;
    struct net *net;
    struct resolver *resolver;
    struct programs *programs;
    struct log *log;
    struct logins *logins;         /* null: nobody can log in */
    struct tls *tls;               /* null: no TLS */
    struct https *https;           /* null: no HTTPS */
    struct tls_tally *tally;       /* null: nobody counts */
    struct allowances *allowances; /* null: no user is limited */
    struct crypto *crypto;         /* null: nothing is signed */
    struct signer *signer;         /* likewise */
    struct inbox *inbox;           /* this loop's own */
};
