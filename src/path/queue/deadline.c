/* The ends of a message's time: when it is given up, and when its sender wanted it delivered
 * (RFC 2852). A list's members have no such wish: the list was delivered to. */
#include "path/queue/inside.h"

static struct instant expiry(const struct config *config, const struct envelope *envelope)
{
    return instant_add(envelope_begins(envelope), config->queue.expire);
}

struct instant message_give_up(const struct config *config, const struct envelope *envelope)
{
    struct instant expire = expiry(config, envelope);
    struct instant deadline = envelope_deadline(envelope);
    bool returns = envelope->by.mode == BY_RETURN && instant_before(deadline, expire);
    return returns ? deadline : expire;
}

struct instant rcpt_give_up(const struct config *config, const struct envelope *envelope,
                            const struct rcpt *r)
{
    return r->origin->list_member ? expiry(config, envelope) : message_give_up(config, envelope);
}

bool deadline_passed(const struct envelope *envelope, const struct rcpt *r, struct instant now)
{
    return !r->origin->list_member && envelope_is_over(envelope, now);
}

struct instant deadline_retry(const struct envelope *envelope, const struct rcpt *r,
                              struct instant now, struct instant planned)
{
    const struct span too_short = SPAN_S(20);
    struct span left = instant_since(envelope_deadline(envelope), now);
    if (r->origin->list_member || !envelope_is_over(envelope, planned) || left.us < too_short.us) {
        return planned;
    }
    return instant_add(now, (struct span){left.us / 2});
}

void give_up_waiting(struct active *a, struct rcpt *r, const struct site *site)
{
    struct outcome o = {
        .rcpt = r->index,
        .kind = OUTCOME_EXPIRED,
        .status = {5, 4, 7},
        .reply_code = r->last->reply_code,
        .host = r->last->host,
        .peer = r->last->peer,
        .site = site ? site->name : r->last->site,
        .text = r->last->text,
    };
    if (o.text.len == 0 && site) {
        o.text = str_from(site->error, site->error_len);
    }
    if (o.text.len == 0) {
        o.text = STR("there was no attempt by then");
    }
    r->work = WORK_NONE;
    active_record(a, &o);
}
