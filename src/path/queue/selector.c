/* Which messages, and which of their recipients, an operator means. */
#include "path/queue/inside.h"

static bool contains_nocase(struct str text, struct str part)
{
    for (size_t i = 0; i + part.len <= text.len; i++) {
        if (str_eq_nocase(str_from(text.ptr + i, part.len), part)) {
            return true;
        }
    }
    return false;
}

bool selector_fits_entry(const struct queue_selector *s, const struct entry *e, struct instant now)
{
    if (s->id.value != 0 && s->id.value != e->id.value) {
        return false;
    }
    if (s->older_than.us > 0 && instant_since(now, e->arrived).us < s->older_than.us) {
        return false;
    }
    return s->states == 0 || (s->states & entry_state(e)) != 0;
}

static struct str place_of(const struct rcpt *r)
{
    bool going = r->work == WORK_PARKED || r->work == WORK_ROUTED || r->work == WORK_SENT;
    return going && r->way ? r->way->hop.site : r->last->site;
}

bool selector_fits_rcpt(const struct queue_selector *s, const struct rcpt *r)
{
    if (r->phase == RCPT_FINAL) {
        return false;
    }
    return (s->recipient.len == 0 || str_eq_nocase(s->recipient, rcpt_address(r))) &&
           (s->domain.len == 0 || str_eq_nocase(s->domain, envelope_domain(rcpt_address(r)))) &&
           (s->site.len == 0 || contains_nocase(place_of(r), s->site)) &&
           (s->last_error.len == 0 || contains_nocase(r->last->text, s->last_error));
}

bool selector_fits(const struct queue_selector *s, const struct state *state)
{
    struct str sender = state->envelope->reverse_path;
    bool of_null = str_eq(s->sender, STR("<>"));
    bool of_rcpts =
        s->recipient.len > 0 || s->domain.len > 0 || s->site.len > 0 || s->last_error.len > 0;
    if (s->sender.len > 0 && !(of_null ? sender.len == 0 : str_eq_nocase(s->sender, sender))) {
        return false;
    }
    for (size_t i = 0; i < state->count; i++) {
        if (selector_fits_rcpt(s, state_rcpt(state, i))) {
            return true;
        }
    }
    return !of_rcpts;
}
