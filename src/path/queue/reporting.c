/* Who is told what, by the rules of RFC 3461: failures unless NOTIFY forbids, delays once, success
 * where it was asked for; never about a report, and never to the null reverse-path. */
#include "path/queue/inside.h"

static bool may_answer(const struct envelope *envelope, const struct rcpt *r)
{
    return r->origin->sender.len > 0 && !envelope->is_report;
}

/* A failure that cannot be told to the sender goes to the postmaster, but not the postmaster's own
 * failure. */
static bool postmaster_wants(const struct config *config, const struct state *s,
                             const struct rcpt *r)
{
    struct str postmaster = config->queue.bounce_postmaster;
    return postmaster.len > 0 && !state_descends(s, r, postmaster);
}

static bool failure_due(const struct config *config, const struct state *s, const struct rcpt *r)
{
    bool failed = r->last->kind == OUTCOME_FAILED || r->last->kind == OUTCOME_EXPIRED;
    if (!failed || r->phase != RCPT_FINAL) {
        return false;
    }
    if (!may_answer(s->envelope, r)) {
        return postmaster_wants(config, s, r);
    }
    return r->notify == 0 || (r->notify & NOTIFY_FAILURE);
}

static bool success_due(const struct state *s, const struct rcpt *r)
{
    if (r->phase != RCPT_FINAL || !may_answer(s->envelope, r)) {
        return false;
    }
    if (state_tells_relay(s, r, r->last)) {
        return true;
    }
    if (!(r->notify & NOTIFY_SUCCESS)) {
        return false;
    }
    bool list = r->last->child_count > 0 && r->last->children[0].sender.len > 0;
    switch (r->last->kind) {
    case OUTCOME_DELIVERED:
        return true;
    case OUTCOME_RELAYED:
        return !r->last->passed_on;
    case OUTCOME_EXPANDED:
        return r->last->child_count != 1 || list;
    case OUTCOME_DEFERRED:
    case OUTCOME_FAILED:
    case OUTCOME_EXPIRED:
    case OUTCOME_REMOVED:
    case OUTCOME_HELD:
    case OUTCOME_RELEASED:
    case OUTCOME_NOTIFIED:
    case OUTCOME_REPORTED:
        break;
    }
    return false;
}

struct instant notice_time(const struct config *config, const struct envelope *envelope,
                           const struct rcpt *r)
{
    bool wanted = r->notify == 0 || (r->notify & NOTIFY_DELAY);
    if (r->phase != RCPT_PENDING || r->notified || !wanted || !may_answer(envelope, r)) {
        return (struct instant){0};
    }
    if (envelope->by.mode == BY_NOTIFY && envelope->by.seconds > 0 && !r->origin->list_member) {
        return envelope_deadline(envelope); /* the sender's choice instead of ours */
    }
    if (config->queue.delay_notice.us == 0) {
        return (struct instant){0};
    }
    return instant_add(envelope_begins(envelope), config->queue.delay_notice);
}

/* Where it is told what. */
struct view {
    const struct config *config;
    const struct state *state;
    struct instant now;
};

static bool kind_due(const struct view *v, const struct rcpt *r, enum report_kind *kind)
{
    if (r->phase == RCPT_FINAL) {
        *kind = failure_due(v->config, v->state, r) ? REPORT_FAILURE : REPORT_SUCCESS;
        return !r->reported && (*kind == REPORT_FAILURE || success_due(v->state, r));
    }
    struct instant notice = notice_time(v->config, v->state->envelope, r);
    *kind = REPORT_DELAY;
    return notice.us != 0 && !instant_before(v->now, notice);
}

static struct rcpt *first_due(const struct view *v, enum report_kind *kind)
{
    for (size_t i = 0; i < v->state->count; i++) {
        if (kind_due(v, state_rcpt(v->state, i), kind)) {
            return state_rcpt(v->state, i);
        }
    }
    return NULL;
}

static struct view view_of(const struct active *a)
{
    return (struct view){a->config, &a->state, queue_now(a->queue)};
}

bool reporting_due(const struct config *config, const struct state *state, struct instant now)
{
    enum report_kind kind;
    return first_due(&(struct view){config, state, now}, &kind) != NULL;
}

static void reported(struct queue_report *ask)
{
    struct active *a = CONTAINER_OF(ask, struct active, report);
    struct queue *q = a->queue;
    a->reporting = false;
    if (ask->result != 0) {
        queue_log_id(q, LOG_ERROR, "queue-trouble", a->entry->id,
                     STR("a report to the sender could not be made; tried again in a minute"));
        a->report_failed = true;
        active_turn(a);
        return;
    }
    struct queue_id_text id = queue_id_text(ask->id);
    struct outcome o = {.kind = ask->kind == REPORT_DELAY ? OUTCOME_NOTIFIED : OUTCOME_REPORTED};
    o.text = ask->id.value ? queue_id_str(&id) : (struct str){0};
    for (size_t i = 0; i < ask->rcpt_count; i++) {
        o.rcpt = a->told[i]->index;
        active_record(a, &o);
    }
    active_turn(a);
}

/* Files and programs behind an alias are nobody's business. */
static bool may_name(struct str address)
{
    return address.len > 0 && address.ptr[0] != '/' && address.ptr[0] != '|' &&
           address.ptr[0] != '\\';
}

/* Its site was found dead by other messages, or is busy with them. */
static struct outcome never_tried(const struct active *a, const struct rcpt *r)
{
    struct outcome o = {.kind = OUTCOME_DEFERRED,
                        .status = {4, 4, 5},
                        .site = r->way->hop.site,
                        .text = STR("many messages are waiting for the same servers")};
    const struct site *site = site_find(&a->queue->sites, r->way->hop.site);
    if (site && site_is_down(site, queue_now(a->queue))) {
        o.status.detail = 1;
        o.text = str_from(site->error, site->error_len);
    }
    return o;
}

static void describe(const struct active *a, const struct rcpt *r, struct report_rcpt *to)
{
    const struct rcpt *named = state_named(&a->state, r);
    bool elsewhere =
        named != r && may_name(rcpt_address(r)) && !str_eq(rcpt_address(named), rcpt_address(r));
    *to = (struct report_rcpt){
        .address = rcpt_address(named),
        .orcpt = named->origin->orcpt,
        .final_address = elsewhere ? rcpt_address(r) : (struct str){0},
        .outcome = *r->last,
        .give_up = rcpt_give_up(a->config, &a->envelope, r),
    };
    if (r->last->kind == 0 && r->work == WORK_PARKED) {
        to->outcome = never_tried(a, r);
    }
}

static size_t gather(struct active *a, const struct rcpt *first, enum report_kind kind,
                     struct report_rcpt *rcpts)
{
    struct view view = view_of(a);
    size_t count = 0;
    for (size_t i = first->index; i < a->state.count && count < REPORT_RCPTS; i++) {
        struct rcpt *r = state_rcpt(&a->state, i);
        enum report_kind other;
        if (kind_due(&view, r, &other) && other == kind && rcpt_same_sender(first, r)) {
            describe(a, r, &rcpts[count]);
            a->told[count++] = r;
        }
    }
    return count;
}

void reporting_start(struct active *a)
{
    enum report_kind kind = REPORT_FAILURE;
    struct view view = view_of(a);
    const struct rcpt *first = first_due(&view, &kind);
    struct envelope *envelope = ARENA_NEW(&a->round, struct envelope);
    struct report_rcpt *rcpts = arena_array(&a->round, REPORT_RCPTS, sizeof *rcpts);
    a->told = arena_array(&a->round, REPORT_RCPTS, sizeof(struct rcpt *));
    if (!first || !envelope || !rcpts || !a->told) {
        a->report_failed = true;
        active_turn(a);
        return;
    }
    *envelope = a->envelope;
    envelope->reverse_path = first->origin->sender;
    if (first->origin->list_member) {
        envelope->envid = (struct str){0};
        envelope->ret = RET_UNSET;
        envelope->by = (struct deliver_by){0};
    }
    a->report = (struct queue_report){
        .done = reported,
        .config = a->config,
        .kind = kind,
        .envelope = envelope,
        .additions = a->get.additions,
        .body = a->get.body,
        .rcpts = rcpts,
        .rcpt_count = gather(a, first, kind, rcpts),
    };
    a->reporting = true;
    a->queue->hands.report(a->queue->hands.owner, &a->report);
}
