#include "control/message.h"

#include <errno.h>

/* Nothing of ours is under way any more. */
static void finish(struct control_message *m, int result)
{
    if (m->get.result == 0) {
        spool_release(m->spool, m->id);
    }
    m->result = m->cancelled ? -ECANCELED : result;
    arena_done(&m->arena);
    m->done(m);
}

static void tell(struct control_message *m, struct str piece)
{
    m->size += piece.len;
    m->each(m, piece);
}

static void on_read(struct disk_op *op);

static void go_on(struct control_message *m)
{
    const struct spool_body *body = &m->get.body;
    uint64_t left = body->size - m->at;
    if (m->cancelled || left == 0) {
        finish(m, 0);
    } else if (!m->paused) {
        struct str into = {m->piece, left < CONTROL_PIECE ? (size_t)left : CONTROL_PIECE};
        m->reading = true;
        m->ports->disk->read(m->ports->disk, &m->read, body->file, body->offset + m->at, into);
    }
}

static void on_read(struct disk_op *op)
{
    struct control_message *m = CONTAINER_OF(op, struct control_message, read);
    m->reading = false;
    if (op->result <= 0 && !m->cancelled) {
        finish(m, op->result < 0 ? (int)op->result : -EIO);
        return;
    }
    if (!m->cancelled) {
        m->at += (uint64_t)op->result;
        tell(m, str_from(m->piece, (size_t)op->result));
    }
    go_on(m);
}

static void on_got(struct spool_get *get)
{
    struct control_message *m = CONTAINER_OF(get, struct control_message, get);
    m->reading = false;
    m->piece = get->result == 0 ? arena_alloc(&m->arena, CONTROL_PIECE) : NULL;
    if (get->result != 0 || !m->piece) {
        finish(m, get->result != 0 ? get->result : -ENOMEM);
        return;
    }
    if (!m->cancelled) {
        tell(m, get->additions);
    }
    go_on(m);
}

void control_message_start(struct control_message *m)
{
    m->get = (struct spool_get){.done = on_got, .id = m->id, .arena = &m->arena};
    m->read.done = on_read;
    m->reading = true;
    spool_get(m->spool, &m->get);
}

void control_message_resume(struct control_message *m)
{
    bool was = m->paused;
    m->paused = false;
    if (was && !m->reading) {
        go_on(m);
    }
}

void control_message_cancel(struct control_message *m)
{
    m->cancelled = true;
    if (!m->reading) {
        go_on(m);
    }
}
