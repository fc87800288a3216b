#include "path/deliver/local_delivery.h"

#include <errno.h>

static void set_outcome(struct local_delivery *d, struct local_verdict verdict)
{
    struct clock *clock = d->office->ports->clock;
    local_message_done(&d->message);
    d->rcpt->outcome = (struct outcome){
        .rcpt = d->rcpt->index,
        .kind = verdict.kind,
        .at = clock->wall(clock),
        .status = verdict.status,
        .site = d->job->site,
        .text = verdict.text,
    };
}

static void on_settled(struct timer *timer)
{
    struct local_delivery *d = CONTAINER_OF(timer, struct local_delivery, settled);
    d->done(d->job, d->rcpt);
}

void local_settle(struct local_delivery *d, struct local_verdict verdict)
{
    struct timers *timers = d->office->ports->timers;
    set_outcome(d, verdict);
    d->settled.fire = on_settled;
    timers->arm(timers, &d->settled, (struct span){0});
}

void local_settle_now(struct local_delivery *d, struct local_verdict verdict)
{
    set_outcome(d, verdict);
    d->done(d->job, d->rcpt);
}

/* Trouble that an operator or time can mend is deferred: mail is lost by nobody's mistake. */
static const struct {
    int error;
    struct status_code status;
    const char *words;
} troubles[] = {
    {ENOSPC, {4, 3, 1}, "the file system is full"},
    {EDQUOT, {4, 2, 2}, "its owner's disk quota is used up"},
    {EFBIG, {4, 2, 2}, "it would become larger than a file may be here"},
    {EACCES,
     {4, 3, 0},
     "permission denied: the user Postrider runs as must be able to write there"},
    {EPERM, {4, 3, 0}, "not permitted: the user Postrider runs as must be able to write there"},
    {EROFS, {4, 3, 0}, "the file system is mounted read-only"},
    {ENOTDIR, {4, 3, 0}, "a part of this path is a file where a folder should be"},
    {EISDIR, {4, 3, 0}, "it is a folder, not a file (a Maildir is configured as maildir:)"},
    {ELOOP, {4, 3, 0}, "it is a symbolic link, and these are not followed: name its target"},
    {ESPIPE, {4, 3, 0}, "it is no file but a device, a FIFO or a socket"},
    {ENXIO, {4, 3, 0}, "it is no file but a device, a FIFO or a socket"},
    {ENOENT, {4, 3, 0}, "a folder of this path is missing and could not be made"},
    {ENAMETOOLONG, {5, 1, 1}, "the name is too long for the file system: no such mailbox can be"},
    {EMFILE, {4, 3, 0}, "too many files are open"},
    {ENFILE, {4, 3, 0}, "too many files are open"},
    {ENOLCK, {4, 3, 0}, "the file system has no locks left"},
    {EIO, {4, 3, 0}, "the disk reports an error"},
    {ENOMEM, {4, 3, 0}, "this server has no memory left"},
};

struct local_verdict local_disk_trouble(struct local_delivery *d, const char *what, struct str path,
                                        int64_t error)
{
    struct arena *arena = &d->job->arena;
    for (size_t i = 0; i < ARRAY_LEN(troubles); i++) {
        if (troubles[i].error == -error) {
            struct status_code status = troubles[i].status;
            return (struct local_verdict){
                .kind = status.class == 5 ? OUTCOME_FAILED : OUTCOME_DEFERRED,
                .status = status,
                .text = arena_format(arena, "cannot %s %.*s: %s", what, STR_ARG(path),
                                     troubles[i].words),
            };
        }
    }
    return local_deferred(
        (struct status_code){4, 3, 0},
        arena_format(arena, "cannot %s %.*s: system error %d", what, STR_ARG(path), (int)-error));
}

struct local_verdict local_message_trouble(const struct local_delivery *d)
{
    if (d->message.refused) {
        return (struct local_verdict){
            OUTCOME_FAILED,
            {5, 6, 3},
            STR("the message is binary (BINARYMIME), which mailboxes cannot hold, and it cannot be "
                "converted"),
        };
    }
    if (d->message.error == -ENOMEM) {
        return local_deferred((struct status_code){4, 3, 0}, STR("this server has no memory left"));
    }
    return local_deferred((struct status_code){4, 3, 0},
                          STR("the message could not be read from the spool"));
}

struct str local_bare_path(struct str path)
{
    while (path.len > 1 && path.ptr[path.len - 1] == '/') {
        path.len--;
    }
    return path;
}

struct str local_folder_of(struct str path)
{
    size_t slash = str_rfind(path, '/');
    if (slash == STR_NONE) {
        return STR(".");
    }
    return slash == 0 ? STR("/") : local_bare_path(str_head(path, slash));
}
