/* serve_tls.h: TLS for the loops of `postrider serve`: their certificates, which others can take
 * the place of while they run, and the keys of session tickets that they share. */
#pragma once

#include "config/config.h"
#include "keys/asker.h"
#include "path/postoffice.h"
#include "tls/certificates.h"
#include "world/loop.h"

/* Certificates on their way to a loop. */
struct serve_renewal {
    struct parcel parcel;
    struct serve_tls *owner;
    struct certificates *fresh;
};

struct serve_tls {
    int (*connect_keys)(void *owner, bool stuck); /* as key_asker has it; any loop's thread */
    void *owner;
    const struct config *const *config; /* the one in force */
    struct loop *home;
    struct log *log;

    size_t count; /* of loops */
    struct tls *loops[BRANCHES_MAX];
    struct key_asker askers[BRANCHES_MAX]; /* a loop's own */
    struct inbox *inboxes[BRANCHES_MAX];
    struct tickets *tickets;

    struct serve_renewal renewals[BRANCHES_MAX];
    size_t renewing; /* parcels that have not come back */
    bool again;      /* when they have */

    struct certificate_label labels[TLS_CERTIFICATES_MAX]; /* of those in use */
    size_t label_count;
    struct timer look; /* at their ends */
};

/* Gives every loop TLS with the certificates of the configuration, whose keys the key process has
 * unless `tls.keys` says otherwise; or with one made here and kept in the spool's folder. The first
 * five fields of `tls` are set. False: said on standard error. */
NODISCARD bool serve_tls_open(struct serve_tls *tls, struct loop **loops, size_t count);
/* On the home loop: loads them anew, and gives them to the loops. What cannot be used leaves all as
 * it is. The log tells. */
void serve_tls_renew(struct serve_tls *tls);
void serve_tls_close(struct serve_tls *tls); /* after the loops, before the home loop is freed */
