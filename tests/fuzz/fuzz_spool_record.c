/* Properties: arbitrary bytes are read as records without a step beyond them; a record that is
 * accepted is written back as the same bytes; and a spool whose segments hold arbitrary bytes opens
 * or says why not, the same each time, and by salvage whenever a header can be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "path/spool/log.h"
#include "path/spool/record.h"
#include "path/spool/recovered.h"
#include "path/spool/segment.h"
#include "sim/disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE = 32 * 1024, SEED = 7 };

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

/* A loop of the least kind. */
struct world {
    struct timers timers;
    struct entropy entropy;
    struct log log;
    struct inbox inbox;
    struct heap due;
    struct parcel *first, *last;
    struct sim_disk disk;
    struct ports ports;
    struct spool_log_open open;
    unsigned found;
    bool done;
};

static void arm(struct timers *timers, struct timer *timer, struct span after)
{
    struct world *w = CONTAINER_OF(timers, struct world, timers);
    must(heap_push(&w->due, &timer->node, after.us), "memory");
}

static void cancel(struct timers *timers, struct timer *timer)
{
    heap_remove(&CONTAINER_OF(timers, struct world, timers)->due, &timer->node);
}

static uint64_t random_number(struct entropy *entropy)
{
    (void)entropy;
    return 4;
}

static void event(struct log *log, enum log_level level, const char *name,
                  const struct log_field *fields, size_t count)
{
    (void)log;
    (void)level;
    (void)name;
    (void)fields;
    (void)count;
}

static void post(struct inbox *inbox, struct parcel *parcel)
{
    struct world *w = CONTAINER_OF(inbox, struct world, inbox);
    parcel->next = NULL;
    *(w->last ? &w->last->next : &w->first) = parcel;
    w->last = parcel;
}

static void run(struct world *w)
{
    for (;;) {
        struct heap_node *node = heap_min(&w->due);
        if (w->first) {
            struct parcel *parcel = w->first;
            w->first = parcel->next;
            w->last = w->first ? w->last : NULL;
            parcel->open(parcel);
        } else if (node) {
            heap_remove(&w->due, node);
            struct timer *timer = CONTAINER_OF(node, struct timer, node);
            timer->fire(timer);
        } else {
            return;
        }
    }
}

static void found(struct spool_log_open *op, const struct spool_found *message)
{
    struct world *w = op->owner;
    w->found++;
    must(message->envelope.len < SIZE && message->outcomes.len < SIZE, "texts of some length");
}

static void opened(struct spool_log_open *op)
{
    ((struct world *)op->owner)->done = true;
}

static void closed(void *owner)
{
    ((struct world *)owner)->done = true;
}

static int open_spool(struct world *w, bool salvage)
{
    w->found = 0;
    w->done = false;
    w->open = (struct spool_log_open){.found = found,
                                      .done = opened,
                                      .ports = &w->ports,
                                      .options = {.folder = STR("/s"), .segment_size = SIZE},
                                      .salvage = salvage,
                                      .owner = w};
    spool_log_open(&w->open);
    run(w);
    must(w->done, "opening ends");
    if (w->open.result == 0) {
        for (unsigned n = 0; n < 8 && w->open.spool->ops->tick(w->open.spool); n++) {
            run(w);
        }
        w->done = false;
        w->open.spool->ops->close(w->open.spool, closed, w);
        run(w);
        must(w->done, "closing ends");
    }
    return w->open.result;
}

static void whole_spool(struct str bytes, bool good_header)
{
    static char segment[SIZE];
    struct world w = {
        .timers = {arm, cancel}, .entropy = {random_number}, .log = {event}, .inbox = {post}};
    sim_disk_init(&w.disk, &w.timers, 1);
    w.ports = (struct ports){.timers = &w.timers,
                             .entropy = &w.entropy,
                             .disk = &w.disk.disk,
                             .log = &w.log,
                             .inbox = &w.inbox};
    must(open_spool(&w, false) == 0, "an empty spool opens");
    memset(segment, 0, sizeof segment);
    size_t at = 0;
    if (good_header) {
        struct segment_header h = {.in_use = true, .generation = 5, .slot = 9, .size = SIZE};
        segment_header_write(&h, segment);
        at = SEGMENT_START;
    }
    bytes = str_head(bytes, SIZE - at);
    if (bytes.len > 0) {
        memcpy(segment + at, bytes.ptr, bytes.len);
    }
    sim_disk_put(&w.disk, "/s/log/00000009", str_from(segment, SIZE));
    int result = open_spool(&w, false);
    must(!good_header || result == 0 || w.open.reason[0] != '\0', "a reason is given");
    must(!good_header || open_spool(&w, true) == 0, "salvage opens it");
    heap_done(&w.due);
    sim_disk_done(&w.disk);
}

static void records(struct str bytes, uint32_t seed)
{
    struct recovered_set set = {0};
    for (size_t at = 0; at < bytes.len; at += RECORD_ALIGN) {
        struct record r;
        struct str body = {0};
        struct str rest = str_tail(bytes, at);
        if (record_read(rest, seed, &r, &body) != RECORD_OK) {
            continue;
        }
        char head[RECORD_HEAD];
        record_seal(&r, seed, head);
        must(memcmp(head, rest.ptr, RECORD_HEAD) == 0, "the same bytes again");
        must(record_length(&r) <= rest.len, "all of it was there");
        struct location place = {0, (uint32_t)at, (uint32_t)record_length(&r)};
        if (r.type != RECORD_ENDS) {
            must(recovered_show(&set, &r, 1, place), "memory");
        }
    }
    size_t count = 0;
    struct recovered **all = recovered_sorted(&set, &count);
    must(all != NULL, "memory");
    free(all);
    recovered_done(&set);
}

/* Mends the checks of what looks like a record, so that the fuzzer gets behind them. */
static void reseal(char *bytes, size_t size, uint32_t seed)
{
    static const uint8_t types[] = {RECORD_MESSAGE, RECORD_OUTCOME, RECORD_REMOVE, RECORD_ENDS};
    for (size_t at = 0; at + RECORD_HEAD <= size;) {
        const uint8_t *raw = (const uint8_t *)bytes + at;
        struct record r = {.type = (enum record_type)types[raw[4] % 4], .id = raw[16]};
        size_t left = size - at - RECORD_HEAD;
        r.envelope = str_head(str_from(bytes + at + RECORD_HEAD, left), raw[40] % 32);
        r.outcomes = str_from(r.envelope.ptr + r.envelope.len, 0);
        r.outcomes = str_head(str_from(r.outcomes.ptr, left - r.envelope.len), raw[48] % 40);
        r.first = raw[24] % 16;
        r.last = r.first + raw[28] % 4;
        r.born = raw[32] % 8;
        r.synced = (uint32_t)(raw[12] % 2 ? SEGMENT_START + at : 0);
        r.body_file = r.type == RECORD_MESSAGE && raw[5] % 4 == 1;
        if (raw[6] % 8 != 7) { /* some stay broken */
            record_seal(&r, seed, bytes + at);
        }
        at += (size_t)record_padded(record_length(&r));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = malloc(size + 1);
    must(bytes != NULL, "memory");
    if (size > 0) {
        memcpy(bytes, data, size);
    }
    records(str_from(bytes, size), SEED);
    whole_spool(str_from(bytes, size), false);
    whole_spool(str_from(bytes, size), true);
    reseal(bytes, size, SEED);
    records(str_from(bytes, size), SEED);
    reseal(bytes, size, segment_seed(5, 0));
    whole_spool(str_from(bytes, size), true);
    free(bytes);
    return 0;
}
