/* reporter.h: sends what was counted, when its period is over, to where the domains want it (RFC
 * 8460 sections 3 and 5): by mail through our own queue, or by POST over HTTPS. On the home loop;
 * one domain at a time. It keeps the tally's file too. */
#pragma once

#include <jansson.h>

#include "config/config.h"
#include "core/dns/chain.h"
#include "core/mail/tlsrpt_record.h"
#include "path/route/addresses.h"
#include "path/route/asker.h"
#include "path/spool/draft.h"
#include "tlsrpt/tally.h"
#include "tlsrpt/write.h"
#include "world/work.h"

struct reporter {
    /* Set by the caller: */
    const struct ports *ports;
    struct loop *loop;
    struct tally *tally;
    struct draft_office *drafts;
    struct queue_id_maker *ids;
    const char *file;    /* the tally's */
    struct str hostname; /* ours */
    struct str from;     /* the reports' sender */
    uint16_t https_port;

    /* Its own: */
    struct timer tick;
    struct instant due; /* not before: all the world's reports shall not come at midnight */
    bool stopped;
    bool saving;
    struct work save;
    struct buf saved;
    json_t *later; /* to be tried again at the next tick */
    /* The domain at work. */
    json_t *taken;
    struct arena work;
    struct asker asker;
    struct chain chain;
    struct str text; /* of the record */
    struct tlsrpt_record record;
    size_t place;
    bool failed;
    struct tlsrpt_frame frame;
    struct buf compressed;
    struct buf mail;
    size_t written; /* of `mail` */
    struct draft *draft;
    struct envelope envelope;
    struct envelope_rcpt rcpt;
    bool committing;
    struct addresses_query addresses;
    struct https_request request;
    bool asking;
};

void reporter_start(struct reporter *r);
/* Before the post office closes: nothing is asked or sent any more; what is being made durable is
 * lost with its report. */
void reporter_stop(struct reporter *r);
/* When the loop is freed. */
void reporter_done(struct reporter *r);
