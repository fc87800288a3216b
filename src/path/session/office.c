#include "path/session/session_inside.h"

#include <stdlib.h>

static struct smtp_server_options options_of(const struct config *config, enum terms_kind kind,
                                             enum client_kind client)
{
    bool submits = client != CLIENT_STRANGER;
    return (struct smtp_server_options){
        .hostname = config->hostname,
        .message_max = config->limits.message,
        .rcpt_max = config->limits.recipients,
        .error_max = config->limits.errors,
        .empty_max = config->limits.empty_commands,
        .normalise = config->line_endings == LINES_NORMALISE,
        .refuse_long_lines = config->long_lines == LONG_REFUSE,
        .take_unqualified = client == CLIENT_COMPLETED,
        .offer_starttls = kind == TERMS_STARTTLS,
        .offer_requiretls = kind == TERMS_PRIVATE,
        .offer_priority = submits,
        .by_min = config->limits.deliver_by,
        .hold_max = submits ? config->limits.future_release : SPAN_S(0),
    };
}

struct session_terms *session_terms_take(struct session_office *office)
{
    struct session_terms *terms = office->terms;
    if (!terms) {
        terms = calloc(1, sizeof *terms);
        if (!terms) {
            return NULL;
        }
        *terms = (struct session_terms){
            .config = config_hold(office->config), .holders = 1, /* the office */
        };
        for (size_t i = 0; i < TERMS_COUNT; i++) {
            for (size_t k = 0; k < CLIENTS; k++) {
                terms->options[k][i] =
                    options_of(office->config, (enum terms_kind)i, (enum client_kind)k);
            }
        }
        office->terms = terms;
    }
    terms->holders++;
    return terms;
}

void session_terms_drop(struct session_terms *terms)
{
    if (terms && --terms->holders == 0) {
        config_drop(terms->config);
        free(terms);
    }
}

/* For a while, and then a pause in which the loop hears everybody else: what a crowd says at great
 * length has a fifth of the time at most. Nobody honest says more than a turn holds without waiting
 * for replies, but for very many recipients. */
#define SLICE_US 250
#define PAUSE SPAN_MS(1)

static void next_turns(struct timer *timer)
{
    enum { AT_ONCE = 64 };
    struct session_office *office = CONTAINER_OF(timer, struct session_office, turn);
    struct clock *clock = office->ports->clock;
    int64_t end = clock->monotonic_us(clock) + SLICE_US;
    for (unsigned i = 0; i < AT_ONCE && !list_empty(&office->yielders); i++) {
        session_go_on(CONTAINER_OF(list_pop(&office->yielders), struct session, turn));
        if (clock->monotonic_us(clock) >= end) {
            break;
        }
    }
    if (!list_empty(&office->yielders)) {
        office->ports->timers->arm(office->ports->timers, &office->turn, PAUSE);
    }
}

void session_yield(struct session *s)
{
    struct session_office *office = s->office;
    if (list_empty(&office->yielders)) {
        office->ports->timers->arm(office->ports->timers, &office->turn, (struct span){0});
    }
    if (!list_linked(&s->turn)) {
        list_append(&office->yielders, &s->turn);
    }
}

void session_office_init(struct session_office *office, const struct config *config)
{
    office->config = config_hold(config);
    office->terms = NULL;
    office->memory = (struct slab){.size = sizeof(struct session)};
    office->counts = (struct session_counts){0};
    list_init(&office->sessions);
    list_init(&office->yielders);
    list_init(&office->handshakes);
    office->handshake_count = 0;
    office->turn = (struct timer){.fire = next_turns};
    office->count = 0;
    office->out = (struct buf){0};
    office->draining = false;
    office->drained = NULL;
}

void session_office_reload(struct session_office *office, const struct config *config)
{
    const struct config *old = office->config;
    office->config = config_hold(config);
    config_drop(old);
    session_terms_drop(office->terms);
    office->terms = NULL;
}

/* Not who waits for us, nor who is in the midst of a message that comes in. */
static bool can_be_spared(const struct session *s, int64_t now_us)
{
    static const int64_t stalled_us = 10000000;
    bool waits = s->committing || s->blocked || s->yielding || s->pumping ||
                 smtp_server_is_asking(&s->server);
    return s->stream && !waits && !s->own && s->client.user.len == 0 &&
           (!s->mail || now_us - s->moved_us >= stalled_us);
}

bool session_office_make_room(struct session_office *office)
{
    enum { LOOKED_AT = 64 }; /* those that cannot be spared are few, or everybody is at work */
    struct clock *clock = office->ports->clock;
    int64_t now = clock->monotonic_us(clock);
    unsigned count = 0;
    LIST_EACH (node, &office->sessions) {
        struct session *s = CONTAINER_OF(node, struct session, link);
        if (can_be_spared(s, now)) {
            smtp_reply_format(&office->out, smtp_answer(ANSWER_CROWDED));
            session_close(s, "it made room for another");
            session_go_on(s);
            return true;
        }
        if (++count == LOOKED_AT) {
            break;
        }
    }
    return false;
}

void session_office_drain(struct session_office *office, void (*done)(void *owner), void *owner)
{
    office->draining = true;
    LIST_EACH (node, &office->sessions) {
        struct session *s = CONTAINER_OF(node, struct session, link);
        smtp_server_end(&s->server, smtp_answer(ANSWER_SHUTDOWN));
        session_go_on(s); /* its timer is shorter from now on */
    }
    if (office->count == 0) {
        done(owner);
        return;
    }
    office->drained = done;
    office->drained_owner = owner;
}

void session_office_done(struct session_office *office)
{
    office->ports->timers->cancel(office->ports->timers, &office->turn);
    buf_done(&office->out);
    slab_done(&office->memory);
    session_terms_drop(office->terms);
    office->terms = NULL;
    config_drop(office->config);
    office->config = NULL;
}
