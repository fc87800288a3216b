#include "path/deliver/mbox.h"

#include "core/mail/date.h"
#include "path/deliver/local_delivery.h"
#include "path/deliver/mbox_lock.h"
#include "path/deliver/mbox_quote.h"

#include <errno.h>

struct mbox {
    struct local_delivery d;
    struct mbox_lock lock;
    struct disk_op op;
    char tail[2]; /* how the mailbox ended before us */
    struct mbox_quoter quoter;
    struct buf out;
    struct str piece;
    struct disk_pieces pieces;
    uint64_t end; /* where the next piece goes */
    struct local_verdict verdict;
};

/* RFC 5322's "Tue, 24 Nov 2026 05:11:52 +0000" as asctime() has it: "Tue Nov 24 05:11:52 2026". */
static void add_asctime(struct buf *out, struct instant when)
{
    struct buf text = {0};
    date_format(&text, when);
    struct str rest = buf_str(&text);
    struct str weekday = str_head(str_split(&rest, ' '), 3);
    struct str day = str_split(&rest, ' ');
    struct str month = str_split(&rest, ' ');
    struct str year = str_split(&rest, ' ');
    struct str time = str_split(&rest, ' ');
    day = str_starts(day, STR("0")) ? str_tail(day, 1) : day;
    buf_add_format(out, "%.*s %.*s %2.*s %.*s %.*s", STR_ARG(weekday), STR_ARG(month), STR_ARG(day),
                   STR_ARG(time), STR_ARG(year));
    out->failed = out->failed || text.failed;
    buf_done(&text);
}

void mbox_from_line(struct buf *out, struct str sender, struct instant when)
{
    buf_add(out, STR("From "));
    for (size_t i = 0; i < sender.len; i++) {
        unsigned char c = (unsigned char)sender.ptr[i];
        buf_add_char(out, c <= ' ' || c == 0x7f ? '_' : (char)c);
    }
    buf_add(out, sender.len > 0 ? STR(" ") : STR("MAILER-DAEMON "));
    add_asctime(out, when);
    buf_add_char(out, '\n');
}

static struct disk *disk_of(const struct mbox *m)
{
    return m->d.office->ports->disk;
}

static struct disk_op *ask(struct mbox *m, void (*then)(struct disk_op *op))
{
    m->op = (struct disk_op){.done = then};
    return &m->op;
}

static struct mbox *of(struct disk_op *op)
{
    return CONTAINER_OF(op, struct mbox, op);
}

static void on_released(struct mbox_lock *lock)
{
    struct mbox *m = CONTAINER_OF(lock, struct mbox, lock);
    buf_done(&m->out);
    local_settle(&m->d, m->verdict);
}

static void end(struct mbox *m, struct local_verdict verdict)
{
    m->verdict = verdict;
    mbox_lock_release(&m->lock);
}

static void on_taken_back(struct disk_op *op)
{
    struct mbox *m = of(op);
    if (op->result < 0) {
        m->verdict.text =
            arena_format(&m->d.job->arena, "%.*s; and a part of the message stays in the mailbox",
                         STR_ARG(m->verdict.text));
    }
    mbox_lock_release(&m->lock);
}

/* The mailbox gets its old length back, so that no half message, and no second copy, stays. */
static void take_back(struct mbox *m, struct local_verdict verdict)
{
    m->verdict = verdict;
    disk_of(m)->truncate(disk_of(m), ask(m, on_taken_back), m->lock.file, m->lock.size);
}

static void fail(struct mbox *m, const char *what, struct str path, int64_t error)
{
    take_back(m, local_disk_trouble(&m->d, what, path, error));
}

static void delivered(struct mbox *m)
{
    end(m, (struct local_verdict){OUTCOME_DELIVERED, {2, 0, 0}, STR("kept in the mbox")});
}

/* A folder that we may not read (/var/mail can be such) cannot be synced by us, and must not keep
 * mail out for ever. */
static void on_folder_synced(struct disk_op *op)
{
    struct mbox *m = of(op);
    if (op->result < 0 && op->result != -EACCES && op->result != -EPERM) {
        fail(m, "sync the folder", local_folder_of(m->lock.path), op->result);
    } else {
        delivered(m);
    }
}

static void on_piece(struct local_message *message);

static void write_next(struct mbox *m)
{
    buf_clear(&m->out);
    if (local_message_next(&m->d.message)) {
        on_piece(&m->d.message);
    }
}

static void on_written(struct disk_op *op)
{
    struct mbox *m = of(op);
    m->end += m->piece.len;
    if (op->result < 0) {
        fail(m, "write", m->lock.path, op->result);
    } else if (!m->d.message.last) {
        write_next(m);
    } else if (m->lock.size == 0) {
        /* It may be new: its name too must survive. */
        disk_of(m)->sync_folder(disk_of(m), ask(m, on_folder_synced),
                                local_folder_of(m->lock.path));
    } else {
        delivered(m);
    }
}

/* The first line, on a line of its own whatever the mailbox ends with. */
static void add_separator(struct mbox *m)
{
    struct clock *clock = m->d.office->ports->clock;
    size_t have = m->lock.size < sizeof m->tail ? (size_t)m->lock.size : sizeof m->tail;
    if (have > 0 && m->tail[have - 1] != '\n') {
        buf_add(&m->out, STR("\n\n"));
    } else if (have > 1 && m->tail[0] != '\n') {
        buf_add(&m->out, STR("\n"));
    }
    mbox_from_line(&m->out, m->d.job->sender, clock->wall(clock));
}

static void on_piece(struct local_message *message)
{
    struct mbox *m = CONTAINER_OF(message, struct mbox, d.message);
    if (local_message_failed(message)) {
        take_back(m, local_message_trouble(&m->d));
        return;
    }
    if (m->end == m->lock.size) {
        add_separator(m);
    }
    mbox_quote(&m->quoter, message->piece, &m->out);
    if (message->last) {
        mbox_quote_end(&m->quoter, &m->out);
        buf_add_char(&m->out, '\n');
    }
    if (m->out.failed) {
        fail(m, "write", m->lock.path, -ENOMEM);
        return;
    }
    m->piece = buf_str(&m->out);
    m->pieces = (struct disk_pieces){&m->piece, 1};
    if (message->last) {
        disk_of(m)->write_sync(disk_of(m), ask(m, on_written), m->lock.file, m->end, &m->pieces);
    } else {
        disk_of(m)->write(disk_of(m), ask(m, on_written), m->lock.file, m->end, &m->pieces);
    }
}

static void on_tail_read(struct disk_op *op)
{
    struct mbox *m = of(op);
    if (op->result < 0) {
        end(m, local_disk_trouble(&m->d, "read", m->lock.path, op->result));
    } else {
        write_next(m);
    }
}

static struct local_verdict lock_trouble(struct mbox *m)
{
    struct arena *arena = &m->d.job->arena;
    if (m->lock.result == -ECANCELED) {
        return local_deferred((struct status_code){4, 3, 2},
                              STR("this server was stopped during the delivery"));
    }
    if (m->lock.result == -EAGAIN) {
        bool dot = str_eq(m->lock.at, m->lock.dot);
        return local_deferred((struct status_code){4, 2, 0},
                              arena_format(arena, "the mailbox %.*s is locked by another program%s",
                                           STR_ARG(m->lock.path),
                                           dot ? " (its .lock file is there)" : ""));
    }
    return local_disk_trouble(&m->d, "open", m->lock.at, m->lock.result);
}

static void on_locked(struct mbox_lock *lock)
{
    struct mbox *m = CONTAINER_OF(lock, struct mbox, lock);
    if (lock->result < 0) {
        local_settle(&m->d, lock_trouble(m));
        return;
    }
    m->end = lock->size;
    if (lock->size == 0) {
        write_next(m);
        return;
    }
    uint64_t from = lock->size > sizeof m->tail ? lock->size - sizeof m->tail : 0;
    disk_of(m)->read(disk_of(m), ask(m, on_tail_read), lock->file, from,
                     str_from(m->tail, (size_t)(lock->size - from)));
}

bool mbox_deliver(const struct local_delivery *about)
{
    struct mbox *m = ARENA_NEW(&about->job->arena, struct mbox);
    if (!m) {
        return false;
    }
    m->d = *about;
    m->d.message.ready = on_piece;
    m->lock = (struct mbox_lock){
        .done = on_locked,
        .released = on_released,
        .office = about->office,
        .arena = &about->job->arena,
        .path = about->rcpt->hop->path,
    };
    mbox_lock(&m->lock);
    return true;
}
