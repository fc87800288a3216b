#include "cli/serve_tls.h"

#include "cli/serve_pairs.h"
#include "core/mail/date.h"
#include "tls/server.h"

#include <stdio.h>
#include <stdlib.h>

/* The keys of tickets change as often as tickets end. */
static const struct span ticket_life = {.us = INT64_C(7200) * 1000000};

enum { DAY_S = 86400, SOON_DAYS = 14 };

static void look_at_ends(struct timer *timer)
{
    struct serve_tls *tls = CONTAINER_OF(timer, struct serve_tls, look);
    const struct ports *home = loop_ports(tls->home);
    int64_t now = instant_seconds(home->clock->wall(home->clock));
    for (size_t i = 0; i < tls->label_count; i++) {
        const struct certificate_label *label = &tls->labels[i];
        int64_t left = instant_seconds(label->ends) - now;
        if (left < (int64_t)SOON_DAYS * DAY_S) {
            log_event(tls->log, left < 0 ? LOG_ERROR : LOG_WARNING, "certificate-expires",
                      F_STR("names", str_from_cstr(label->names)),
                      F_STR("kind", str_from_cstr(label->kind)), F_INT("days_left", left / DAY_S));
        }
    }
    home->timers->arm(home->timers, timer, SPAN_S(DAY_S));
}

static void tell(struct serve_tls *tls, enum log_level level)
{
    for (size_t i = 0; i < tls->label_count; i++) {
        const struct certificate_label *label = &tls->labels[i];
        struct civil_time ends = civil_from_instant(label->ends);
        char date[32];
        (void)snprintf(date, sizeof date, "%04lld-%02u-%02u", (long long)ends.year, ends.month,
                       ends.day);
        log_event(tls->log, level, "certificate-loaded",
                  F_STR("names", str_from_cstr(label->names)),
                  F_STR("kind", str_from_cstr(label->kind)), F_STR("ends", str_from_cstr(date)));
    }
    look_at_ends(&tls->look);
}

static void note(struct serve_tls *tls, const struct certificates *c)
{
    tls->label_count = certificates_count(c);
    for (size_t i = 0; i < tls->label_count; i++) {
        certificates_describe(c, i, &tls->labels[i]);
    }
}

/* A key process that is new may have other keys than the certificates of the files. */
static bool keys_work(const struct serve_pairs *pairs, struct key_signer *signer,
                      struct buf *reason)
{
    struct certificates *tried = certificates_new(NULL, pairs->pairs, pairs->count, signer, reason);
    bool good = tried && certificates_work(tried);
    if (tried && !good) {
        buf_add(reason, STR("the process that has the keys does not sign"));
    }
    certificates_free(tried);
    return good;
}

/* Asks by a socket of its own: those of the loops lead to the keys that are in use. */
static bool read_pairs(struct serve_tls *tls, struct serve_pairs *pairs, struct buf *reason)
{
    struct key_asker asker;
    key_asker_open(&asker, tls->connect_keys, tls->owner);
    bool good = serve_pairs_read(pairs, *tls->config, &asker, reason) &&
                (!pairs->apart || keys_work(pairs, &asker.signer, reason));
    key_asker_close(&asker);
    return good;
}

static struct tls_source source_for(struct serve_tls *tls, const struct serve_pairs *pairs,
                                    size_t i)
{
    const struct config *config = *tls->config;
    return (struct tls_source){
        .pairs = pairs->pairs,
        .count = pairs->count,
        .signer = pairs->apart ? &tls->askers[i].signer : NULL,
        .tickets = tls->tickets,
        .authorities = config->authorities.len > 0 ? config->authorities.ptr : NULL,
    };
}

static bool open_all(struct serve_tls *tls, const struct serve_pairs *pairs, struct loop **loops,
                     struct buf *reason)
{
    for (size_t i = 0; i < tls->count; i++) {
        struct tls_source source = source_for(tls, pairs, i);
        tls->loops[i] = tls_server_new(&source, loop_ports(loops[i]), reason);
        if (!tls->loops[i]) {
            return false;
        }
        loop_set_tls(loops[i], tls->loops[i]);
    }
    note(tls, tls_server_certificates(tls->loops[0]));
    return true;
}

bool serve_tls_open(struct serve_tls *tls, struct loop **loops, size_t count)
{
    struct serve_pairs *pairs = calloc(1, sizeof *pairs);
    struct buf reason = {0};
    tls->count = count;
    tls->tickets = tickets_new(ticket_life);
    tls->look.fire = look_at_ends;
    for (size_t i = 0; i < count; i++) {
        key_asker_open(&tls->askers[i], tls->connect_keys, tls->owner);
        tls->inboxes[i] = loop_ports(loops[i])->inbox;
    }
    bool good = pairs && tls->tickets && read_pairs(tls, pairs, &reason) &&
                open_all(tls, pairs, loops, &reason);
    if (good) {
        tell(tls, LOG_DEBUG);
    } else {
        (void)fprintf(stderr, "postrider: cannot start: no TLS: %.*s\n", STR_ARG(buf_str(&reason)));
    }
    if (pairs) {
        serve_pairs_done(pairs);
    }
    free(pairs);
    buf_done(&reason);
    return good;
}

/* On the home loop. */
static void came_back(struct parcel *parcel)
{
    struct serve_tls *tls = CONTAINER_OF(parcel, struct serve_renewal, parcel)->owner;
    tls->renewing--;
    if (tls->renewing > 0) {
        return;
    }
    tell(tls, LOG_INFO);
    log_event(tls->log, LOG_INFO, "certificates-reloaded", F_INT("count", tls->label_count));
    if (tls->again) {
        tls->again = false;
        serve_tls_renew(tls);
    }
}

/* On a loop. What it asked for signatures has the old keys; the next one leads to the new. */
static void arrived(struct parcel *parcel)
{
    struct serve_renewal *renewal = CONTAINER_OF(parcel, struct serve_renewal, parcel);
    struct serve_tls *tls = renewal->owner;
    size_t i = (size_t)(renewal - tls->renewals);
    struct inbox *home = loop_ports(tls->home)->inbox;
    tls_server_renew(tls->loops[i], renewal->fresh);
    renewal->fresh = NULL;
    key_asker_close(&tls->askers[i]);
    parcel->open = came_back;
    home->post(home, parcel);
}

static void drop_fresh(struct serve_tls *tls)
{
    for (size_t i = 0; i < tls->count; i++) {
        certificates_free(tls->renewals[i].fresh);
        tls->renewals[i].fresh = NULL;
    }
}

static bool load_fresh(struct serve_tls *tls, const struct serve_pairs *pairs, struct buf *reason)
{
    for (size_t i = 0; i < tls->count; i++) {
        struct tls_source source = source_for(tls, pairs, i);
        struct serve_renewal *renewal = &tls->renewals[i];
        renewal->owner = tls;
        renewal->parcel.open = arrived;
        renewal->fresh = tls_server_load(tls->loops[i], &source, reason);
        if (!renewal->fresh) {
            drop_fresh(tls);
            return false;
        }
    }
    return true;
}

void serve_tls_renew(struct serve_tls *tls)
{
    if (tls->renewing > 0) {
        tls->again = true;
        return;
    }
    struct serve_pairs *pairs = calloc(1, sizeof *pairs);
    struct buf reason = {0};
    if (pairs && read_pairs(tls, pairs, &reason) && load_fresh(tls, pairs, &reason)) {
        note(tls, tls->renewals[0].fresh);
        tls->renewing = tls->count;
        for (size_t i = 0; i < tls->count; i++) {
            tls->inboxes[i]->post(tls->inboxes[i], &tls->renewals[i].parcel);
        }
    } else {
        log_event(tls->log, LOG_ERROR, "certificates-kept", F_STR("reason", buf_str(&reason)));
    }
    if (pairs) {
        serve_pairs_done(pairs);
    }
    free(pairs);
    buf_done(&reason);
}

void serve_tls_close(struct serve_tls *tls)
{
    if (tls->count == 0) {
        return;
    }
    const struct ports *home = loop_ports(tls->home);
    home->timers->cancel(home->timers, &tls->look);
    drop_fresh(tls);
    for (size_t i = 0; i < tls->count; i++) {
        tls_server_free(tls->loops[i]);
        key_asker_close(&tls->askers[i]);
    }
    tickets_free(tls->tickets);
}
