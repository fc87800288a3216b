#include "path/queue/history_inside.h"

#include "core/base/crc32c.h"

#include <stdlib.h>

static void go_on(struct history *h);

void history_path(const struct history *h, uint64_t began_ms, struct buf *out)
{
    buf_clear(out);
    buf_add(out, h->folder);
    buf_add_format(out, "/%016llx", (unsigned long long)began_ms);
}

static bool parse_name(struct str name, uint64_t *began_ms)
{
    uint64_t value = 0;
    if (name.len != HISTORY_NAME) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!ascii_is_digit(c) && (c < 'a' || c > 'f')) {
            return false;
        }
        value = value << 4 | (uint64_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    *began_ms = value;
    return true;
}

static struct instant now(const struct history *h)
{
    return h->ports->clock->wall(h->ports->clock);
}

/* Keeps the array sorted: what was begun earlier stands earlier. */
static bool add_file(struct history *h, struct history_file file)
{
    if (h->file_count == h->file_cap) {
        size_t cap = h->file_cap ? h->file_cap * 2 : 16;
        struct history_file *grown = realloc(h->files, cap * sizeof *grown);
        if (!grown) {
            return false;
        }
        h->files = grown;
        h->file_cap = cap;
    }
    size_t at = h->file_count++;
    for (; at > 0 && h->files[at - 1].began_ms > file.began_ms; at--) {
        h->files[at] = h->files[at - 1];
    }
    h->files[at] = file;
    return true;
}

static uint64_t size_of_all(const struct history *h)
{
    uint64_t size = 0;
    for (size_t i = 0; i < h->file_count; i++) {
        size += h->files[i].size;
    }
    return size;
}

static uint64_t file_size_max(const struct history *h)
{
    uint64_t size = h->size_max / 64;
    size = size < 65536 ? 65536 : size;
    return size > (4U << 20) ? 4U << 20 : size;
}

static void try_again(struct timer *timer)
{
    struct history *h = CONTAINER_OF(timer, struct history, timer);
    h->failed = false;
    go_on(h);
}

/* What waits is dropped when it grows too much; a full disk must not fill memory too. */
static void wait_for_disk(struct history *h)
{
    h->failed = true;
    h->timer.fire = try_again;
    h->ports->timers->arm(h->ports->timers, &h->timer, SPAN_S(30));
    log_event(h->ports->log, LOG_WARNING, "history-trouble",
              F_STR("text", STR("stories of finished messages could not be written")));
    go_on(h);
}

static void removed(struct disk_op *op)
{
    struct history *h = CONTAINER_OF(op, struct history, remove_op);
    h->removing = false;
    go_on(h);
}

/* Removes the oldest file if it is one too many, or too old; never the one being written. */
static void trim(struct history *h)
{
    if (h->removing || h->file_count == 0 || (h->file_count == 1 && h->open)) {
        return;
    }
    struct history_file *oldest = &h->files[0];
    bool old = instant_before(instant_add(oldest->newest, h->age), now(h));
    struct buf path = {0};
    if (!old && size_of_all(h) <= h->size_max) {
        return;
    }
    history_path(h, oldest->began_ms, &path);
    if (!path.failed) {
        h->removing = true;
        h->file_count--;
        for (size_t i = 0; i < h->file_count; i++) {
            h->files[i] = h->files[i + 1];
        }
        h->remove_op = (struct disk_op){.done = removed};
        h->ports->disk->remove(h->ports->disk, &h->remove_op, buf_str(&path));
    }
    buf_done(&path);
}

static void opened(struct disk_op *op)
{
    struct history *h = CONTAINER_OF(op, struct history, op);
    h->busy = false;
    if (op->result < 0) {
        h->file_count--;
        wait_for_disk(h);
        return;
    }
    h->open = op->file;
    go_on(h);
}

static void open_file(struct history *h)
{
    struct history_file file = {.began_ms = (uint64_t)(now(h).us / 1000), .newest = now(h)};
    if (h->file_count > 0 && h->files[h->file_count - 1].began_ms >= file.began_ms) {
        file.began_ms = h->files[h->file_count - 1].began_ms + 1;
    }
    struct buf path = {0};
    history_path(h, file.began_ms, &path);
    if (path.failed || !add_file(h, file)) {
        wait_for_disk(h);
    } else {
        h->busy = true;
        h->op = (struct disk_op){.done = opened};
        h->ports->disk->open(h->ports->disk, &h->op, buf_str(&path),
                             DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE);
    }
    buf_done(&path);
}

static void close_file(struct history *h)
{
    if (h->open) {
        h->ports->disk->close(h->ports->disk, h->open);
        h->open = NULL;
    }
}

static void written(struct disk_op *op)
{
    struct history *h = CONTAINER_OF(op, struct history, op);
    struct history_file *file = &h->files[h->file_count - 1];
    h->busy = false;
    if (op->result < 0) {
        close_file(h); /* how much was written is unknown: another file */
        wait_for_disk(h);
        return;
    }
    file->size += h->writing.len;
    file->newest = now(h);
    buf_clear(&h->writing);
    if (file->size >= file_size_max(h)) {
        close_file(h);
    }
    go_on(h);
}

static void write_pending(struct history *h)
{
    if (h->writing.len == 0) {
        struct buf empty = h->writing;
        h->writing = h->pending;
        h->pending = empty;
    }
    if (!h->open) {
        open_file(h);
        return;
    }
    h->piece = buf_str(&h->writing);
    h->pieces = (struct disk_pieces){&h->piece, 1};
    h->busy = true;
    h->op = (struct disk_op){.done = written};
    h->ports->disk->write(h->ports->disk, &h->op, h->open, h->files[h->file_count - 1].size,
                          &h->pieces);
}

/* Begins what is next to be done, if nothing is under way. */
static void go_on(struct history *h)
{
    if (!h->ready) {
        return;
    }
    bool more = h->pending.len > 0 || h->writing.len > 0;
    if (!h->busy && !h->failed && more) {
        write_pending(h);
    }
    trim(h);
    more = h->pending.len > 0 || h->writing.len > 0;
    if (h->flushed && !h->busy && !h->removing && (!more || h->failed)) {
        void (*flushed)(void *) = h->flushed;
        h->flushed = NULL;
        flushed(h->flushed_owner);
    }
}

static void stat_next(struct history *h);

static void stat_done(struct disk_op *op)
{
    struct history *h = CONTAINER_OF(op, struct history, op);
    struct history_file file = {.size = op->size, .newest = op->changed};
    if (op->result >= 0 && parse_name(h->names[h->name_next], &file.began_ms)) {
        (void)add_file(h, file); /* without memory: it is not searched */
    }
    h->name_next++;
    stat_next(h);
}

static void stat_next(struct history *h)
{
    uint64_t began_ms = 0;
    struct buf path = {0};
    while (h->name_next < h->name_count && !parse_name(h->names[h->name_next], &began_ms)) {
        h->name_next++;
    }
    if (h->name_next == h->name_count) {
        h->busy = false;
        h->ready = true;
        arena_done(&h->names_arena);
        go_on(h);
        return;
    }
    history_path(h, began_ms, &path);
    h->op = (struct disk_op){.done = stat_done};
    h->ports->disk->stat(h->ports->disk, &h->op, buf_str(&path));
    buf_done(&path);
}

static void listed(struct disk_op *op)
{
    struct history *h = CONTAINER_OF(op, struct history, op);
    if (op->result >= 0) {
        h->names = op->names;
        h->name_count = op->name_count;
    }
    stat_next(h);
}

static void folder_made(struct disk_op *op)
{
    struct history *h = CONTAINER_OF(op, struct history, op);
    h->op = (struct disk_op){.done = listed, .names_in = &h->names_arena};
    h->ports->disk->list(h->ports->disk, &h->op, h->folder);
}

struct history *history_new(const struct ports *ports, struct str folder)
{
    struct history *h = calloc(1, sizeof *h);
    if (!h) {
        return NULL;
    }
    h->ports = ports;
    h->age = SPAN_D(7);
    h->size_max = 256U << 20;
    h->folder = arena_copy(&h->arena, folder);
    if (!h->folder.ptr) {
        free(h);
        return NULL;
    }
    h->busy = true;
    h->op = (struct disk_op){.done = folder_made};
    ports->disk->make_folder(ports->disk, &h->op, h->folder);
    return h;
}

void history_bound(struct history *h, struct span age, uint64_t size)
{
    h->age = age;
    h->size_max = size;
    go_on(h);
}

/* As many whole outcomes as fit. */
static struct str cut_outcomes(struct str outcomes)
{
    struct arena arena = {0};
    struct str rest = outcomes;
    struct outcome o;
    size_t kept = outcomes.len;
    if (outcomes.len > HISTORY_OUTCOMES_MAX) {
        kept = 0;
        while (outcome_decode(&rest, &arena, &o) == 1 &&
               outcomes.len - rest.len <= HISTORY_OUTCOMES_MAX) {
            kept = outcomes.len - rest.len;
        }
    }
    arena_done(&arena);
    return str_head(outcomes, kept);
}

static void write_crc(char *to, struct str payload)
{
    uint32_t crc = crc32c(0, payload);
    for (size_t i = 0; i < 4; i++) {
        to[i] = (char)(unsigned char)(crc >> (8 * i));
    }
}

void history_add(struct history *h, const struct history_record *record)
{
    struct str outcomes = cut_outcomes(record->outcomes);
    size_t begin = h->pending.len;
    size_t len = 8 + 8 + 4 + record->envelope.len + 4 + outcomes.len;
    bool room = begin + len < HISTORY_PENDING_MAX || begin == 0;
    if (room && len < HISTORY_READ_MAX && buf_reserve(&h->pending, len + 8)) {
        buf_put_u32(&h->pending, (uint32_t)len);
        buf_put_u32(&h->pending, 0);
        buf_put_u64(&h->pending, record->id.value);
        buf_put_u64(&h->pending, (uint64_t)record->finished.us);
        buf_put_str(&h->pending, record->envelope);
        buf_put_str(&h->pending, outcomes);
        write_crc(h->pending.ptr + begin + 4, str_from(h->pending.ptr + begin + 8, len));
    }
    h->pending.failed = false;
    go_on(h);
}

void history_flush(struct history *h, void (*flushed)(void *owner), void *owner)
{
    h->flushed = flushed;
    h->flushed_owner = owner;
    go_on(h);
}

void history_free(struct history *h)
{
    if (!h) {
        return;
    }
    h->ports->timers->cancel(h->ports->timers, &h->timer);
    close_file(h);
    free(h->files);
    buf_done(&h->pending);
    buf_done(&h->writing);
    arena_done(&h->names_arena);
    arena_done(&h->arena);
    free(h);
}
