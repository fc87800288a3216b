#include "path/deliver/maildir.h"

#include "path/deliver/local_delivery.h"
#include "path/deliver/local_folders.h"

#include <errno.h>

enum { HOST_MAX = 150 };

struct maildir {
    struct local_delivery d;
    struct local_folders folders;
    struct deposit deposit; /* its `file` is that of a message in several pieces */
    struct disk_op op;
    struct disk_pieces pieces;
    struct str path; /* without slashes at its end */
    struct str name;
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

static void give_up(struct maildir *m, struct local_verdict verdict)
{
    m->verdict = verdict;
    if (!m->deposit.file) {
        local_settle(&m->d, verdict);
        return;
    }
    disk_of(m)->close(disk_of(m), m->deposit.file);
    disk_of(m)->remove(disk_of(m), ask(m, on_removed), m->deposit.draft);
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

static void on_folders_to_deposit(struct local_folders *f)
{
    struct maildir *m = CONTAINER_OF(f, struct maildir, folders);
    if (f->result < 0) {
        fail(m, "make the folder", f->at, f->result);
    } else {
        deposits_add(&m->d.office->deposits, &m->deposit);
    }
}

static void tell_trouble(struct maildir *m)
{
    const struct deposit *t = &m->deposit;
    static const char *const whats[] = {
        [DEPOSIT_CREATE] = "create",
        [DEPOSIT_WRITE] = "write",
        [DEPOSIT_MOVE] = "move the message to",
        [DEPOSIT_SYNC_FOLDER] = "sync the folder",
    };
    struct str path = t->step == DEPOSIT_SYNC_FOLDER ? local_folder_of(t->final)
                      : t->step == DEPOSIT_MOVE      ? t->final
                                                     : t->draft;
    fail(m, whats[t->step], path, t->result);
}

static void on_deposited(struct deposit *deposit)
{
    struct maildir *m = CONTAINER_OF(deposit, struct maildir, deposit);
    if (deposit->result == -ENOENT && !m->made) {
        make_folders(m, on_folders_to_deposit);
    } else if (deposit->result < 0) {
        tell_trouble(m);
    } else {
        struct str name = str_tail(deposit->final, m->path.len + 1);
        struct str text =
            arena_format(&m->d.job->arena, "kept in the Maildir as %.*s", STR_ARG(name));
        local_settle(&m->d, (struct local_verdict){OUTCOME_DELIVERED, {2, 0, 0}, text});
    }
}

/* The last piece, or the only one. Its size stands in its name, as Dovecot and others know it. */
static void deposit_last(struct maildir *m)
{
    struct deposit *t = &m->deposit;
    t->bytes = m->d.message.piece;
    t->final = arena_format(&m->d.job->arena, "%.*s/new/%.*s,S=%llu", STR_ARG(m->path),
                            STR_ARG(m->name), (unsigned long long)t->size + t->bytes.len);
    if (!t->final.ptr) {
        fail(m, "move the message into", m->path, -ENOMEM);
        return;
    }
    t->done = on_deposited;
    deposits_add(&m->d.office->deposits, t);
}

static void write_next(struct maildir *m);

static void on_written(struct disk_op *op)
{
    struct maildir *m = of(op);
    if (op->result < 0) {
        fail(m, "write", m->deposit.draft, op->result);
        return;
    }
    m->deposit.size += m->d.message.piece.len;
    write_next(m);
}

static void write_piece(struct maildir *m)
{
    m->pieces = (struct disk_pieces){&m->d.message.piece, 1};
    disk_of(m)->write(disk_of(m), ask(m, on_written), m->deposit.file, m->deposit.size, &m->pieces);
}

static void on_opened(struct disk_op *op)
{
    struct maildir *m = of(op);
    if (op->result < 0) {
        fail(m, "create", m->deposit.draft, op->result);
        return;
    }
    m->deposit.file = op->file;
    write_piece(m);
}

static void on_folders_to_open(struct local_folders *f)
{
    struct maildir *m = CONTAINER_OF(f, struct maildir, folders);
    if (f->result < 0) {
        fail(m, "make the folder", f->at, f->result);
    } else {
        disk_of(m)->open(disk_of(m), ask(m, on_opened), m->deposit.draft,
                         DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE | DISK_NO_FOLLOW);
    }
}

/* A message in one piece is written by its deposit; a longer one as its pieces come, into folders
 * that are made before, since it cannot be deposited twice. */
static void on_piece(struct local_message *message)
{
    struct maildir *m = CONTAINER_OF(message, struct maildir, d.message);
    if (local_message_failed(message)) {
        give_up(m, local_message_trouble(&m->d));
    } else if (message->last) {
        deposit_last(m);
    } else if (m->deposit.file) {
        write_piece(m);
    } else {
        make_folders(m, on_folders_to_open);
    }
}

static void write_next(struct maildir *m)
{
    if (local_message_next(&m->d.message)) {
        on_piece(&m->d.message);
    }
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
    struct arena *arena = &about->job->arena;
    struct maildir *m = ARENA_NEW(arena, struct maildir);
    struct str name = make_name(about);
    struct str path = local_bare_path(about->rcpt->hop->path);
    struct str draft = arena_format(arena, "%.*s/tmp/%.*s", STR_ARG(path), STR_ARG(name));
    if (!m || !name.ptr || !draft.ptr) {
        return false;
    }
    m->d = *about;
    m->d.message.ready = on_piece;
    m->path = path;
    m->name = name;
    m->deposit.draft = draft;
    write_next(m);
    return true;
}
