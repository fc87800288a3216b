/* What is done with a spool, at random. */
#include "crash/yard.h"

#include "crash/trouble.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 24000 };

struct put_work {
    struct spool_put op;
    struct yard *yard;
    struct str body;
    char bytes[LARGEST];
    char envelope[64];
    char name[32];
};

static void *must(void *memory)
{
    if (!memory) {
        abort();
    }
    return memory;
}

static void check_result(const struct yard *y, const char *what, uint64_t id, int result)
{
    if (result < 0 && !y->fault_set) {
        trouble("%s of message %u fails with %d on a good disk", what, (unsigned)id, result);
    }
}

static void put_ended(struct spool_put *op)
{
    struct put_work *w = CONTAINER_OF(op, struct put_work, op);
    struct tally_message *m = &w->yard->tally.messages[op->id.value];
    tell("put %u: %d", (unsigned)op->id.value, op->result);
    check_result(w->yard, "putting", op->id.value, op->result);
    m->put = op->result == 0 ? SURELY : MAYBE; /* an error says that it is not acknowledged */
    free(w);
}

static void put(struct yard *y)
{
    uint64_t id = 0;
    uint64_t most = sim_once_in(&y->world, 6) ? LARGEST : 3000;
    struct tally_message *m = tally_new(&y->tally, (size_t)sim_below(&y->world, most), &id);
    if (!m) {
        return;
    }
    struct put_work *w = must(calloc(1, sizeof *w));
    w->yard = y;
    tally_body(&y->tally, id, w->bytes);
    w->body = str_from(w->bytes, m->size);
    size_t length = tally_envelope(id, w->envelope, sizeof w->envelope);
    w->op = (struct spool_put){.done = put_ended,
                               .id = {id},
                               .envelope = str_from(w->envelope, length),
                               .additions = STR("Received: here\r\n"),
                               .body = {&w->body, 1},
                               .body_size = m->size,
                               .reserve = sim_once_in(&y->world, 8)};
    if (m->size > y->options.inline_limit) { /* as a draft leaves it */
        char path[64];
        (void)snprintf(w->name, sizeof w->name, "incoming/%u", (unsigned)id);
        (void)snprintf(path, sizeof path, "/spool/%s", w->name);
        sim_disk_put(&y->disk, path, w->body);
        if (sim_disk_bytes(&y->disk, path).len < m->size) { /* the disk is full */
            free(w);
            return;
        }
        w->op.body_file = str_from_cstr(w->name);
    }
    m->put = MAYBE;
    spool_put(y->spool, &w->op);
}

struct mark_work {
    struct spool_mark op;
    struct yard *yard;
    unsigned number;
    char text[5];
};

static void mark_ended(struct spool_mark *op)
{
    struct mark_work *w = CONTAINER_OF(op, struct mark_work, op);
    struct tally_message *m = &w->yard->tally.messages[op->id.value];
    tell("mark %u%s: %d", (unsigned)op->id.value, op->finished ? " finished" : "", op->result);
    if (op->result != -ENOENT) { /* it was finished in between */
        check_result(w->yard, "marking", op->id.value, op->result);
    }
    if (op->result == 0) {
        *(op->finished ? &m->finished : &m->marks[w->number]) = SURELY;
    }
    free(w);
}

static void mark(struct yard *y, uint64_t id, bool finished)
{
    struct tally_message *m = &y->tally.messages[id];
    if (!finished && m->mark_count == TALLY_MARKS) {
        return;
    }
    struct mark_work *w = must(calloc(1, sizeof *w));
    w->yard = y;
    if (finished) {
        m->finished = m->finished == SURELY ? SURELY : MAYBE;
    } else {
        w->number = m->mark_count++;
        m->marks[w->number] = MAYBE;
        tally_mark(w->number, w->text);
    }
    w->op = (struct spool_mark){
        .done = mark_ended, .id = {id}, .outcomes = str_from_cstr(w->text), .finished = finished};
    spool_mark(y->spool, &w->op);
}

struct get_work {
    struct spool_get op;
    struct yard *yard;
    struct arena arena;
    struct disk_op read;
    struct timer release;
    char *body;
};

static void release(struct timer *timer)
{
    struct get_work *w = CONTAINER_OF(timer, struct get_work, release);
    spool_release(w->yard->spool, w->op.id);
    w->yard->readers--;
    free(w->body);
    arena_done(&w->arena);
    free(w);
}

static void body_read(struct disk_op *op)
{
    struct get_work *w = CONTAINER_OF(op, struct get_work, read);
    size_t size = w->yard->tally.messages[w->op.id.value].size;
    char *want = must(malloc(size + 1));
    tally_body(&w->yard->tally, w->op.id.value, want);
    if (op->result < 0) {
        check_result(w->yard, "reading", w->op.id.value, (int)op->result);
    } else if (op->result != (int64_t)size || memcmp(want, w->body, size) != 0) {
        trouble("the body of message %u has changed", (unsigned)w->op.id.value);
    }
    free(want);
    /* It stays pinned for a while. */
    struct span after = {(int64_t)sim_below(&w->yard->world, 20000)};
    w->yard->loop.timers.arm(&w->yard->loop.timers, &w->release, after);
}

static void got(struct spool_get *op)
{
    struct get_work *w = CONTAINER_OF(op, struct get_work, op);
    struct yard *y = w->yard;
    const struct tally_message *m = &y->tally.messages[op->id.value];
    if (op->result < 0) {
        if (op->result != -ENOENT || (m->put == SURELY && m->finished == SURELY_NOT)) {
            check_result(y, "getting", op->id.value, op->result);
        }
        y->readers--;
        arena_done(&w->arena);
        free(w);
        return;
    }
    if (op->body.size != m->size) {
        trouble("the body of message %u has %zu octets for %zu", (unsigned)op->id.value,
                (size_t)op->body.size, m->size);
    }
    w->body = must(calloc(1, m->size + 1));
    w->read = (struct disk_op){.done = body_read};
    y->disk.disk.read(&y->disk.disk, &w->read, op->body.file, op->body.offset,
                      str_from(w->body, m->size));
}

static void get(struct yard *y, uint64_t id)
{
    struct get_work *w = must(calloc(1, sizeof *w));
    w->yard = y;
    w->release.fire = release;
    y->readers++;
    w->op = (struct spool_get){.done = got, .id = {id}, .arena = &w->arena};
    spool_get(y->spool, &w->op);
}

/* One that is there, or 0: most of them were put lately. */
static uint64_t any_message(struct yard *y)
{
    struct tally *t = &y->tally;
    for (unsigned tries = 0; t->count > 0 && tries < 8; tries++) {
        uint64_t back = sim_below(&y->world, sim_once_in(&y->world, 3) ? t->count : 10);
        uint64_t id = back < t->count ? t->count - back : 1;
        if (t->messages[id].put == SURELY && t->messages[id].finished == SURELY_NOT) {
            return id;
        }
    }
    return 0;
}

void yard_work(struct yard *y, uint64_t operations)
{
    for (; operations > 0 && !yard_dead(y); operations--) {
        uint64_t what = sim_below(&y->world, 12);
        uint64_t id = any_message(y);
        if (what < 5 || id == 0) {
            put(y);
        } else if (what < 7) {
            uint64_t times = sim_once_in(&y->world, 6) ? 12 : 1; /* so many are merged */
            for (; times > 0; times--) {
                mark(y, id, false);
            }
        } else if (what < 10) {
            mark(y, id, true);
        } else {
            get(y, id);
        }
        yard_step(y, sim_below(&y->world, 6));
        if (!yard_dead(y) && sim_once_in(&y->world, 3)) {
            (void)y->spool->ops->tick(y->spool);
        }
        if (!yard_dead(y) && sim_once_in(&y->world, 40)) {
            yard_tidy(y);
        }
    }
}

void yard_read_all(struct yard *y)
{
    for (uint64_t id = 1; id <= y->tally.count && !yard_dead(y); id++) {
        if (y->tally.messages[id].found) {
            get(y, id);
            yard_step(y, 4);
        }
    }
    yard_rest(y);
}

void yard_finish_all(struct yard *y)
{
    struct spool_usage usage;
    for (uint64_t id = 1; id <= y->tally.count; id++) {
        const struct tally_message *m = &y->tally.messages[id];
        if (m->put == SURELY && m->finished != SURELY) {
            mark(y, id, true);
            yard_step(y, 4);
        }
    }
    yard_rest(y);
    yard_tidy(y);
    y->spool->ops->usage(y->spool, &usage);
    /* The tail, the reserve, a spare; and what tells the ends of others until they go. */
    if (usage.messages > 0 || usage.bytes_total > 5 * y->options.segment_size) {
        trouble("when all is finished there are %u messages, and %u segments' bytes",
                (unsigned)usage.messages, (unsigned)(usage.bytes_total / y->options.segment_size));
    }
}
