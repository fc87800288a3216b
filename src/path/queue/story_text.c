#include "path/queue/story_text.h"

#include "core/mail/date.h"
#include "path/queue/state.h"

void story_time(struct buf *out, struct instant t)
{
    struct civil_time c = civil_from_instant(t);
    buf_add_format(out, "%04d-%02u-%02u %02u:%02u:%02u UTC", (int)c.year, c.month, c.day, c.hour,
                   c.minute, c.second);
}

void story_span(struct buf *out, struct span d)
{
    static const struct {
        int64_t seconds;
        const char *one, *many;
    } units[] = {{86400, "day", "days"}, {3600, "h", "h"}, {60, "min", "min"}, {1, "s", "s"}};
    int64_t left = span_seconds(d);
    unsigned shown = 0;
    left = left < 0 ? 0 : left;
    for (size_t i = 0; i < ARRAY_LEN(units) && shown < 2; i++) {
        int64_t n = left / units[i].seconds;
        left %= units[i].seconds;
        bool last = i + 1 == ARRAY_LEN(units) && shown == 0;
        if (n > 0 || last) {
            buf_add_format(out, "%s%lld %s", shown ? " " : "", (long long)n,
                           n == 1 ? units[i].one : units[i].many);
            shown++;
        } else if (shown > 0) {
            break;
        }
    }
}

enum { RCPTS_MAX = 1000 }; /* told of: each means a walk over all that happened */

static void add_address(struct buf *out, struct str address)
{
    buf_add_format(out, "<%.*s>", STR_ARG(address));
}

static void arrival(struct buf *out, const struct envelope *e)
{
    char ip[IP_TEXT_MAX];
    struct queue_id_text id = queue_id_text(e->id);
    buf_add_format(out, "Message %s from ", id.chars);
    if (e->reverse_path.len > 0) {
        add_address(out, e->reverse_path);
    } else {
        buf_add(out, STR("<> (nobody: it is a report or a notice)"));
    }
    buf_add_format(out, ", %llu octets", (unsigned long long)e->body_size);
    if (e->priority != 0) {
        buf_add_format(out, ", priority %d", e->priority);
    }
    if (e->by.mode != BY_NONE) {
        buf_add(out, STR(", to be delivered by "));
        story_time(out, envelope_deadline(e));
        buf_add(out,
                e->by.mode == BY_RETURN ? STR(" or returned") : STR(", else its sender is told"));
    }
    buf_add(out, STR("\n"));
    buf_add(out, e->client_ip.family == IP_NONE ? STR("Made here ") : STR("Received "));
    story_time(out, e->arrived);
    if (e->client_ip.family != IP_NONE) {
        struct str text = ip_text(e->client_ip, ip);
        struct str name = e->client_name.len > 0 ? e->client_name : STR("an unverified host");
        buf_add_format(out, " from %.*s [%.*s]", STR_ARG(name), STR_ARG(text));
    }
    if (e->helo.len > 0) {
        buf_add_format(out, ", which called itself %.*s", STR_ARG(e->helo));
    }
    if (e->user.len > 0) {
        buf_add_format(out, ", logged in as %.*s", STR_ARG(e->user));
    }
    if (e->protocol.len > 0) {
        buf_add_format(out, ", by %.*s", STR_ARG(e->protocol));
    }
    buf_add(out, STR("\n"));
}

static void add_host(struct buf *out, const struct outcome *o)
{
    char ip[IP_TEXT_MAX];
    buf_add(out, o->host);
    if (o->peer.ip.family != IP_NONE) {
        struct str text = ip_text(o->peer.ip, ip);
        buf_add_format(out, "%s[%.*s]:%u", o->host.len > 0 ? " " : "", STR_ARG(text), o->peer.port);
    }
}

/* ": mx1.example [192.0.2.1]:25 answered: 451 4.7.1 Later" */
static void add_cause(struct buf *out, const struct outcome *o)
{
    bool somebody = o->host.len > 0 || o->peer.ip.family != IP_NONE;
    if (somebody) {
        buf_add(out, STR(": "));
        add_host(out, o);
        buf_add(out, o->reply_code ? STR(" answered") : STR(""));
    }
    if (o->text.len > 0) {
        buf_add_format(out, ": %.*s", STR_ARG(o->text));
    }
    if (o->status.class != 0 && o->reply_code == 0) {
        buf_add_format(out, " (%u.%u.%u)", o->status.class, o->status.subject, o->status.detail);
    }
}

static void add_children(struct buf *out, const struct outcome *o)
{
    buf_add_format(out, "an alias or list of %zu:", o->child_count);
    for (size_t i = 0; i < o->child_count; i++) {
        buf_add_format(out, "%s ", i > 0 ? "," : "");
        add_address(out, o->children[i].address);
    }
    if (o->child_count > 0 && o->children[0].sender.len > 0) {
        buf_add(out, STR(", whose failures are told to "));
        add_address(out, o->children[0].sender);
    }
    if (o->child_count == 0) {
        buf_add(out, STR(" all its members get the message already"));
    }
}

static void add_event(struct buf *out, const struct envelope *e, const struct outcome *o,
                      unsigned *attempts)
{
    static const char *const words[] = {
        [OUTCOME_DELIVERED] = "delivered",
        [OUTCOME_RELAYED] = "handed on",
        [OUTCOME_FAILED] = "failed for good",
        [OUTCOME_EXPIRED] = "given up, after trying for too long",
        [OUTCOME_REMOVED] = "removed by an operator, telling nobody",
        [OUTCOME_HELD] = "held by an operator",
        [OUTCOME_RELEASED] = "released by an operator",
        [OUTCOME_NOTIFIED] = "the sender was told of the delay",
        [OUTCOME_REPORTED] = "the sender was told",
    };
    buf_add(out, STR("  "));
    story_time(out, o->at);
    buf_add(out, STR("  "));
    if (o->kind == OUTCOME_EXPANDED) {
        add_children(out, o);
    } else if (o->kind == OUTCOME_DEFERRED) {
        buf_add_format(out, "attempt %u did not succeed", ++*attempts);
        add_cause(out, o);
    } else if (o->kind == OUTCOME_NOTIFIED || o->kind == OUTCOME_REPORTED) {
        bool made = o->text.len > 0;
        buf_add(out, made ? str_from_cstr(words[o->kind]) : STR("there was nobody to tell"));
        if (made) {
            buf_add_format(out, " (report %.*s)", STR_ARG(o->text));
        }
    } else {
        bool over = o->kind == OUTCOME_EXPIRED && envelope_is_over(e, o->at);
        buf_add(out, over ? STR("given up, as the time that its sender set is over")
                          : str_from_cstr(words[o->kind]));
        add_cause(out, o);
    }
    buf_add(out, STR("\n"));
}

static void add_rcpt(struct buf *out, const struct story *story, const struct state *state,
                     const struct rcpt *r)
{
    unsigned attempts = 0;
    bool any = false;
    buf_add(out, STR("Recipient "));
    add_address(out, rcpt_address(r));
    if (r->origin->parent != RCPT_NO_PARENT) {
        buf_add(out, STR(", by way of "));
        add_address(out, rcpt_address(state_rcpt(state, r->origin->parent)));
    }
    buf_add(out, STR("\n"));
    for (size_t i = 0; i < story->outcome_count; i++) {
        const struct outcome *o = &story->outcomes[i];
        if (o->rcpt == r->index || o->rcpt == OUTCOME_ALL_RCPTS) {
            add_event(out, &story->envelope, o, &attempts);
            any = true;
        }
    }
    if (!any) {
        buf_add(out, STR("  nothing has been tried yet\n"));
    }
}

static void add_since(struct buf *out, const struct story_wait *wait, struct instant now)
{
    if (wait->since.us != 0) {
        buf_add(out, STR(", since "));
        story_time(out, wait->since);
        buf_add(out, STR(" ("));
        story_span(out, instant_since(now, wait->since));
        buf_add(out, STR(")"));
    }
    buf_add(out, STR("\n"));
}

static void add_wait(struct buf *out, const struct story_wait *w, struct instant now)
{
    buf_add(out, STR("Now it waits "));
    switch (w->kind) {
    case WAIT_NOTHING:
        buf_add(out, STR("for nothing"));
        break;
    case WAIT_TURN:
        buf_add_format(out, "for its turn: %u messages may be worked on at once (queue.active)",
                       w->limit);
        break;
    case WAIT_TIME:
        buf_add(out, STR("for the time of its next attempt"));
        break;
    case WAIT_SITE_FULL:
        buf_add_format(out, "for a connection to %.*s, which has as many as it may have now: %u",
                       STR_ARG(w->site), w->limit);
        break;
    case WAIT_SITE_DOWN:
        buf_add_format(out, "for %.*s to be reachable again", STR_ARG(w->site));
        if (w->reason.len > 0) {
            buf_add_format(out, " (last met with: %.*s)", STR_ARG(w->reason));
        }
        break;
    case WAIT_HELD:
        buf_add(out, STR("for an operator to release it"));
        break;
    case WAIT_ROUTE:
        buf_add(out, STR("to learn the way to its recipients (DNS, aliases)"));
        break;
    case WAIT_DELIVERY:
        buf_add_format(out, "for %.*s: it is being delivered there", STR_ARG(w->site));
        break;
    case WAIT_DISK:
        buf_add(out, STR("for the spool to keep what has happened"));
        break;
    case WAIT_REPORT:
        buf_add(out, STR("for the report to its sender to be made"));
        break;
    case WAIT_RELEASE:
        buf_add(out, STR("until "));
        story_time(out, w->until);
        buf_add(out, STR(", as its sender asked (queue retry sends it now)"));
        break;
    }
    add_since(out, w, now);
}

static void add_plan(struct buf *out, const char *what, struct instant t, struct instant now)
{
    if (t.us == 0) {
        return;
    }
    buf_add(out, str_from_cstr(what));
    story_time(out, t);
    if (instant_before(now, t)) {
        buf_add(out, STR(" (in "));
        story_span(out, instant_since(t, now));
        buf_add(out, STR(")"));
    }
    buf_add(out, STR("\n"));
}

static void add_recipients(struct buf *out, const struct story *story)
{
    struct arena arena = {0};
    struct state state;
    if (!state_init(&state, &arena, &story->envelope, (struct hash_seed){0})) {
        out->failed = true;
        arena_done(&arena);
        return;
    }
    for (size_t i = 0; i < story->outcome_count; i++) {
        out->failed |= !state_apply(&state, &story->outcomes[i]);
    }
    for (size_t i = 0; i < state.count && i < RCPTS_MAX; i++) {
        add_rcpt(out, story, &state, state_rcpt(&state, i));
    }
    if (state.count > RCPTS_MAX) {
        buf_add_format(out, "and %zu more recipients\n", state.count - RCPTS_MAX);
    }
    arena_done(&arena);
}

void story_render(struct buf *out, const struct story *story, struct instant now)
{
    arrival(out, &story->envelope);
    add_recipients(out, story);
    if (story->finished.us != 0) {
        buf_add(out, STR("Finished "));
        story_time(out, story->finished);
        buf_add(out, STR(": nothing is left to be done\n"));
        return;
    }
    add_wait(out, &story->wait, now);
    add_plan(out, "Next attempt: ", story->next, now);
    if (story->wait.kind != WAIT_HELD) {
        add_plan(out, "It will be given up ", story->give_up, now);
    }
}
