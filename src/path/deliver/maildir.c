#include "path/deliver/maildir.h"

#include "path/deliver/local_delivery.h"
#include "path/deliver/local_folders.h"

#include <errno.h>

enum { HOST_MAX = 150 };

struct maildir {
    struct local_delivery d;
    struct local_folders folders;
    struct disk_op op;
    struct disk_file *file;
    struct str path; /* without slashes at its end */
    struct str name;
    struct str written; /* where the file is now: in tmp, then in new */
    struct str final;
    uint64_t size;
    struct disk_pieces pieces;
    bool made; /* the folders were made already */
    struct local_verdict verdict;
};

void maildir_name_format(struct buf *out, const struct maildir_name *name)
{
    int64_t seconds = instant_seconds(name->now);
    buf_add_format(out, "%lld.M%06lldP%.*sQ%lluR%016llx.", (long long)seconds,
                   (long long)(name->now.us - seconds * 1000000), STR_ARG(name->id),
                   (unsigned long long)name->count, (unsigned long long)name->entropy);
    size_t start = out->len;
    for (size_t i = 0; i < name->hostname.len && out->len - start < HOST_MAX; i++) {
        char c = name->hostname.ptr[i];
        if (c == '/' || c == ':') {
            buf_add(out, c == '/' ? STR("\\057") : STR("\\072"));
        } else {
            buf_add_char(out, c);
        }
    }
}

static struct disk *disk_of(const struct maildir *m)
{
    return m->d.office->ports->disk;
}

static struct disk_op *ask(struct maildir *m, void (*then)(struct disk_op *op))
{
    m->op = (struct disk_op){.done = then};
    return &m->op;
}

static struct maildir *of(struct disk_op *op)
{
    return CONTAINER_OF(op, struct maildir, op);
}

static void on_removed(struct disk_op *op)
{
    struct maildir *m = of(op);
    local_settle(&m->d, m->verdict);
}

/* A file that is not whole, or not surely on the disk, must not stay: the next attempt writes
 * another. */
static void give_up(struct maildir *m, struct local_verdict verdict)
{
    m->verdict = verdict;
    if (m->file) {
        disk_of(m)->close(disk_of(m), m->file);
        m->file = NULL;
    }
    if (m->written.len == 0) {
        local_settle(&m->d, verdict);
        return;
    }
    disk_of(m)->remove(disk_of(m), ask(m, on_removed), m->written);
}

static void fail(struct maildir *m, const char *what, struct str path, int64_t error)
{
    give_up(m, local_disk_trouble(&m->d, what, path, error));
}

static void make_folders(struct maildir *m, void (*then)(struct local_folders *f))
{
    struct arena *arena = &m->d.job->arena;
    static const char *const names[] = {"tmp", "new", "cur"};
    m->made = true;
    m->folders = (struct local_folders){.done = then, .office = m->d.office, .count = 3};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        m->folders.paths[i] = arena_format(arena, "%.*s/%s", STR_ARG(m->path), names[i]);
        if (!m->folders.paths[i].ptr) {
            fail(m, "make the folders of", m->path, -ENOMEM);
            return;
        }
    }
    local_folders_make(&m->folders);
}

static void on_folder_synced(struct disk_op *op)
{
    struct maildir *m = of(op);
    if (op->result < 0) {
        fail(m, "sync the folder", local_folder_of(m->final), op->result);
        return;
    }
    local_settle(&m->d, (struct local_verdict){
                            OUTCOME_DELIVERED,
                            {2, 0, 0},
                            arena_format(&m->d.job->arena, "kept in the Maildir as %.*s",
                                         STR_ARG(str_tail(m->final, m->path.len + 1))),
                        });
}

static void publish(struct maildir *m);

static void on_folders_to_publish(struct local_folders *f)
{
    struct maildir *m = CONTAINER_OF(f, struct maildir, folders);
    if (f->result < 0) {
        fail(m, "make the folder", f->at, f->result);
    } else {
        publish(m);
    }
}

static void on_renamed(struct disk_op *op)
{
    struct maildir *m = of(op);
    if (op->result == -ENOENT && !m->made) {
        make_folders(m, on_folders_to_publish);
        return;
    }
    if (op->result < 0) {
        fail(m, "move the message to", m->final, op->result);
        return;
    }
    m->written = m->final;
    disk_of(m)->sync_folder(disk_of(m), ask(m, on_folder_synced), local_folder_of(m->final));
}

static void publish(struct maildir *m)
{
    disk_of(m)->rename(disk_of(m), ask(m, on_renamed), m->written, m->final);
}

/* Whole and synced. Its size stands in its name, as Dovecot and others know it. */
static void close_and_publish(struct maildir *m)
{
    disk_of(m)->close(disk_of(m), m->file);
    m->file = NULL;
    m->final = arena_format(&m->d.job->arena, "%.*s/new/%.*s,S=%llu", STR_ARG(m->path),
                            STR_ARG(m->name), (unsigned long long)m->size);
    if (!m->final.ptr) {
        fail(m, "move the message into", m->path, -ENOMEM);
        return;
    }
    publish(m);
}

static void write_next(struct maildir *m);

static void on_written(struct disk_op *op)
{
    struct maildir *m = of(op);
    if (op->result < 0) {
        fail(m, "write", m->written, op->result);
        return;
    }
    m->size += m->d.message.piece.len;
    if (m->d.message.last) {
        close_and_publish(m);
    } else {
        write_next(m);
    }
}

static void on_piece(struct local_message *message)
{
    struct maildir *m = CONTAINER_OF(message, struct maildir, d.message);
    if (local_message_failed(message)) {
        give_up(m, local_message_trouble(&m->d));
        return;
    }
    m->pieces = (struct disk_pieces){&message->piece, 1};
    if (message->last) {
        disk_of(m)->write_sync(disk_of(m), ask(m, on_written), m->file, m->size, &m->pieces);
    } else {
        disk_of(m)->write(disk_of(m), ask(m, on_written), m->file, m->size, &m->pieces);
    }
}

static void write_next(struct maildir *m)
{
    if (local_message_next(&m->d.message)) {
        on_piece(&m->d.message);
    }
}

static void open_file(struct maildir *m);

static void on_folders_to_open(struct local_folders *f)
{
    struct maildir *m = CONTAINER_OF(f, struct maildir, folders);
    if (f->result < 0) {
        fail(m, "make the folder", f->at, f->result);
    } else {
        open_file(m);
    }
}

static void on_opened(struct disk_op *op)
{
    struct maildir *m = of(op);
    struct str wanted = m->written;
    if (op->result >= 0) {
        m->file = op->file;
        write_next(m);
        return;
    }
    m->written = (struct str){0}; /* nothing of ours is there */
    if (op->result == -ENOENT && !m->made) {
        make_folders(m, on_folders_to_open);
    } else {
        fail(m, "create", wanted, op->result);
    }
}

static void open_file(struct maildir *m)
{
    m->written =
        arena_format(&m->d.job->arena, "%.*s/tmp/%.*s", STR_ARG(m->path), STR_ARG(m->name));
    if (!m->written.ptr) {
        fail(m, "create a file in", m->path, -ENOMEM);
        return;
    }
    disk_of(m)->open(disk_of(m), ask(m, on_opened), m->written,
                     DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE | DISK_NO_FOLLOW);
}

static struct str make_name(const struct local_delivery *about)
{
    const struct ports *ports = about->office->ports;
    struct queue_id_text id = queue_id_text(about->job->envelope->id);
    struct buf text = {0};
    maildir_name_format(&text, &(struct maildir_name){
                                   .now = ports->clock->wall(ports->clock),
                                   .id = queue_id_str(&id),
                                   .count = about->office->local_count,
                                   .entropy = ports->entropy->u64(ports->entropy),
                                   .hostname = about->job->config->hostname,
                               });
    struct str name =
        text.failed ? (struct str){0} : arena_copy(&about->job->arena, buf_str(&text));
    buf_done(&text);
    return name;
}

bool maildir_deliver(const struct local_delivery *about)
{
    struct maildir *m = ARENA_NEW(&about->job->arena, struct maildir);
    struct str name = make_name(about);
    if (!m || !name.ptr) {
        return false;
    }
    m->d = *about;
    m->d.message.ready = on_piece;
    m->path = local_bare_path(about->rcpt->hop->path);
    m->name = name;
    open_file(m);
    return true;
}
