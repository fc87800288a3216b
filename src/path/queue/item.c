/* What an operator is shown of a message. */
#include "path/queue/inside.h"

enum queue_item_state entry_state(const struct entry *e)
{
    if (e->active) {
        return QUEUE_ACTIVE;
    }
    return e->flags & ENTRY_HELD ? QUEUE_HELD : QUEUE_WAITING;
}

void item_tell(struct queue *q, struct queue_request *request, const struct entry *e,
               const struct state *state)
{
    struct arena arena = {0};
    struct queue_item_rcpt *rcpts = arena_array(&arena, state->count, sizeof *rcpts);
    if (!request->each || !rcpts) {
        arena_done(&arena);
        return;
    }
    for (size_t i = 0; i < state->count; i++) {
        const struct rcpt *r = state_rcpt(state, i);
        rcpts[i] = (struct queue_item_rcpt){
            .address = rcpt_address(r),
            .phase = r->phase,
            .attempts = r->attempts,
            .last = r->last->kind ? r->last : NULL,
            .next = r->next,
        };
    }
    struct queue_item item = {
        .id = e->id,
        .envelope = state->envelope,
        .state = entry_state(e),
        .age = instant_since(queue_now(q), e->arrived),
        .rcpts = rcpts,
        .rcpt_count = state->count,
        .next = entry_next(e, state),
        .give_up = message_give_up(q->config, state->envelope),
    };
    entry_wait(q, e, &item.wait);
    request->each(request, &item);
    arena_done(&arena);
}
