/* Reading stories back: first what has not reached the disk, then file by file, the newest first.
 */
#include "path/queue/history_inside.h"

#include "core/base/crc32c.h"
#include "core/base/scan.h"

#include <errno.h>
#include <stdlib.h>

struct run {
    struct history *history;
    struct history_search *search;
    struct timer timer;
    struct disk_op op;
    struct disk_file *file;
    struct buf memory; /* what was not yet on the disk at the beginning */
    struct buf bytes;  /* of the file being read */
    struct buf path;
    struct history_file *files; /* as they were at the beginning */
    size_t left;
    bool enough;
};

static void end(struct run *run)
{
    struct history_search *search = run->search;
    buf_done(&run->memory);
    buf_done(&run->bytes);
    buf_done(&run->path);
    free(run->files);
    free(run);
    search->impl = NULL;
    search->done(search);
}

/* Takes the next record's payload; false at the end, or where a crash tore it. */
static bool next_record(struct str *bytes, struct str *payload)
{
    struct scan sc = {.rest = *bytes};
    uint32_t len = scan_get_u32(&sc);
    uint32_t crc = scan_get_u32(&sc);
    *payload = scan_take(&sc, len);
    *bytes = sc.rest;
    return scan_ok(&sc) && crc32c(0, *payload) == crc;
}

static void look_at(struct run *run, struct str payload)
{
    struct history_search *search = run->search;
    struct clock *clock = run->history->ports->clock;
    struct scan sc = {.rest = payload};
    struct arena arena = {0};
    struct story story;
    struct queue_id id = {scan_get_u64(&sc)};
    struct instant finished = {(int64_t)scan_get_u64(&sc)};
    struct str envelope = scan_get_str(&sc);
    struct str outcomes = scan_get_str(&sc);
    bool wanted = search->id.value == 0 || search->id.value == id.value;
    bool old = instant_before(instant_add(finished, run->history->age), clock->wall(clock));
    if (scan_ok(&sc) && wanted && !old && story_read(envelope, outcomes, &arena, &story)) {
        story.finished = finished;
        if (search->address.len == 0 || story_is_about(&story, search->address)) {
            run->enough = !search->each(search, &story);
        }
    }
    arena_done(&arena);
}

/* The newest record stands last. */
static void look_through(struct run *run, struct str bytes)
{
    struct buf places = {0};
    struct str payload;
    for (struct str rest = bytes; rest.len > 0 && next_record(&rest, &payload);) {
        buf_add(&places, str_from((const char *)&payload, sizeof payload));
    }
    size_t count = places.len / sizeof payload;
    const struct str *records = (const void *)places.ptr;
    if (places.failed) {
        run->search->result = -ENOMEM;
    }
    while (count > 0 && !run->enough) {
        look_at(run, records[--count]);
    }
    buf_done(&places);
}

static void next_file(struct run *run);

static void file_read(struct disk_op *op)
{
    struct run *run = CONTAINER_OF(op, struct run, op);
    struct disk *disk = run->history->ports->disk;
    disk->close(disk, run->file);
    if (op->result < 0) {
        run->search->result = (int)op->result;
    } else {
        run->bytes.len = (size_t)op->result;
        look_through(run, buf_str(&run->bytes));
    }
    next_file(run);
}

static void file_opened(struct disk_op *op)
{
    struct run *run = CONTAINER_OF(op, struct run, op);
    struct disk *disk = run->history->ports->disk;
    uint64_t size = run->files[run->left].size;
    if (op->result < 0) {
        if (op->result != -ENOENT) { /* that: its time had come meanwhile */
            run->search->result = (int)op->result;
        }
        next_file(run);
        return;
    }
    run->file = op->file;
    size = size < HISTORY_READ_MAX ? size : HISTORY_READ_MAX;
    buf_clear(&run->bytes);
    if (!buf_reserve(&run->bytes, (size_t)size)) {
        disk->close(disk, run->file);
        run->search->result = -ENOMEM;
        next_file(run);
        return;
    }
    run->op = (struct disk_op){.done = file_read};
    disk->read(disk, &run->op, run->file, 0, str_from(run->bytes.ptr, (size_t)size));
}

static void next_file(struct run *run)
{
    struct disk *disk = run->history->ports->disk;
    while (run->left > 0 && run->files[run->left - 1].size == 0) {
        run->left--;
    }
    if (run->left == 0 || run->enough) {
        end(run);
        return;
    }
    run->left--;
    history_path(run->history, run->files[run->left].began_ms, &run->path);
    run->op = (struct disk_op){.done = file_opened};
    disk->open(disk, &run->op, buf_str(&run->path), DISK_READ);
}

static void begin(struct timer *timer)
{
    struct run *run = CONTAINER_OF(timer, struct run, timer);
    struct history *h = run->history;
    if (!h->ready) {
        h->ports->timers->arm(h->ports->timers, &run->timer, SPAN_MS(10));
        return;
    }
    buf_add(&run->memory, buf_str(&h->writing));
    buf_add(&run->memory, buf_str(&h->pending));
    run->files = calloc(h->file_count + 1, sizeof *run->files);
    for (size_t i = 0; run->files && i < h->file_count; i++) {
        run->files[i] = h->files[i];
        run->left++;
    }
    if (run->memory.failed || !run->files) {
        run->search->result = -ENOMEM;
    }
    look_through(run, buf_str(&run->memory));
    next_file(run);
}

void history_find(struct history *h, struct history_search *search)
{
    struct run *run = calloc(1, sizeof *run);
    search->result = 0;
    search->impl = run;
    if (!run) {
        search->result = -ENOMEM;
        search->done(search);
        return;
    }
    run->history = h;
    run->search = search;
    run->timer.fire = begin;
    h->ports->timers->arm(h->ports->timers, &run->timer, SPAN_S(0));
}
