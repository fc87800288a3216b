#include "postman/postman.h"

#include "core/mail/forward.h"
#include "core/mail/mailbox.h"
#include "postman/box.h"
#include "runner/permitted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

extern char **environ;

/* One letter for one person. */
struct delivery {
    const struct config *config;
    struct person person;
    struct letter letter;
    struct str mailbox; /* the user's own */
    struct arena arena;
    struct buf says;     /* in words, what came of it */
    struct buf forwards; /* "> address" lines */
};

static bool is_permitted(const struct config *config, const struct order *order)
{
    (void)config; /* the child looks the rest up */
    return order->argc == 2 && str_eq(str_from_cstr(order->argv[0]), STR("system")) &&
           environment_is_plain(order);
}

static struct str variable(const char *name)
{
    const char *value = getenv(name);
    return str_from_cstr(value ? value : "");
}

static void set_environment(const struct order *order)
{
    environ = (char **)(uintptr_t)order->environment;
}

/* "~/Maildir/", "/var/mail/{user}". Null: no memory. */
static struct str fill_in(struct str path, const struct person *person, struct arena *arena)
{
    struct str mark = STR("{user}");
    bool home = str_starts(path, STR("~/"));
    struct str rest = str_tail(path, home ? 1 : 0);
    size_t at = str_find_str(rest, mark);
    struct str before = str_head(rest, at);
    struct str after = at == STR_NONE ? STR("") : str_tail(rest, at + mark.len);
    struct str user = at == STR_NONE ? STR("") : person->name;
    struct str start = home ? person->home : STR("");
    return arena_format(arena, "%.*s%.*s%.*s%.*s", STR_ARG(start), STR_ARG(before), STR_ARG(user),
                        STR_ARG(after));
}

/* Only for a user whom the configuration gives a mailbox at the recipient's domain. */
static int find_mailbox(struct delivery *d, const char *user)
{
    struct mailbox mailbox;
    if (mailbox_parse(d->letter.recipient, &mailbox) != MAILBOX_OK) {
        return EX_NOUSER;
    }
    struct str name = arena_lower(&d->arena, mailbox.domain.text);
    const struct config_domain *domain = config_find_domain(d->config, name);
    int code = person_find(str_from_cstr(user), d->config, &d->person);
    if (code != EX_OK || !domain || domain->mailboxes.kind != MAILBOX_SYSTEM) {
        return code != EX_OK ? code : EX_NOUSER;
    }
    d->mailbox = fill_in(domain->mailboxes.path, &d->person, &d->arena);
    if (!d->mailbox.ptr) {
        return EX_OSERR;
    }
    if (!str_starts(domain->mailboxes.path, STR("~")) && !str_ends(d->mailbox, STR("/"))) {
        person_make_mailbox(&d->person, d->mailbox.ptr);
    }
    return EX_OK;
}

/* Why ~/.forward is not followed. The mail then goes to the mailbox: it is not lost, and goes
 * nowhere that the user did not say. */
static void ignore(struct delivery *d, const char *why)
{
    buf_add_format(&d->says, ".forward is ignored (%s); ", why);
}

static const char *unsafe(const struct delivery *d, const struct stat *st)
{
    return !S_ISREG(st->st_mode)                      ? "it is no file"
           : st->st_uid != d->person.user             ? "it is another's"
           : (st->st_mode & (S_IWGRP | S_IWOTH)) != 0 ? "others may write to it"
           : st->st_nlink != 1                        ? "it has a second name"
           : st->st_size > (off_t)FORWARD_BYTES_MAX   ? "it is too long"
                                                      : NULL;
}

/* The text of ~/.forward; empty where there is none that may be followed. False: nobody can say now
 * (a home that is not there, a file that cannot be read), and the mail waits. */
static bool read_forward_file(struct delivery *d, struct str *found)
{
    struct stat st;
    struct str path = arena_format(&d->arena, "%.*s/.forward", STR_ARG(d->person.home));
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int file = path.ptr ? open(path.ptr, flags) : -1;
    if (file < 0 && errno == ELOOP) {
        ignore(d, "it is a symbolic link");
    }
    if (file < 0) {
        return path.ptr && (errno == ELOOP || errno == ENOENT || errno == ENXIO);
    }
    char *text = arena_alloc(&d->arena, FORWARD_BYTES_MAX);
    bool readable = text && fstat(file, &st) == 0;
    const char *why = readable ? unsafe(d, &st) : NULL;
    ssize_t n = readable && !why ? read(file, text, FORWARD_BYTES_MAX) : 0;
    close(file);
    if (why) {
        ignore(d, why);
    }
    *found = str_from(text, n > 0 ? (size_t)n : 0);
    return readable && n >= 0;
}

static int to_file(struct delivery *d, struct str path)
{
    return str_ends(path, STR("/")) ? box_maildir(&d->letter, path, d->config->hostname, &d->says)
                                    : box_mbox(&d->letter, path, &d->says);
}

static int to_target(struct delivery *d, const struct forward_target *target, bool loud)
{
    switch (target->kind) {
    case FORWARD_ADDRESS:
        buf_add_format(&d->forwards, "> %.*s\n", STR_ARG(target->text));
        return EX_OK;
    case FORWARD_MAILBOX:
        return to_file(d, d->mailbox);
    case FORWARD_FILE:
    case FORWARD_MAILDIR:
        return to_file(d, target->text);
    case FORWARD_PROGRAM:
        if (!person_may_run_programs(&d->person)) {
            buf_add(&d->says, STR("who has no login shell runs no programs"));
            return EX_NOPERM;
        }
        return box_program(&d->letter, &d->person, target->text, loud);
    }
    return EX_SOFTWARE;
}

/* All of it, or the first that fails; what went before that comes twice when it is tried again. */
static int follow(struct delivery *d, const struct forward *forward)
{
    int code = EX_OK;
    for (size_t i = 0; i < forward->count && code == EX_OK; i++) {
        buf_add(&d->says, i > 0 && d->says.len > 0 ? STR("; ") : STR(""));
        code = to_target(d, &forward->targets[i], forward->count == 1);
    }
    return code;
}

static int deliver(struct delivery *d)
{
    static struct forward forward;
    const struct forward_owner owner = {.user = d->person.name, .address = d->letter.recipient};
    if (!letter_read(&d->letter, d->letter.id, 2 * d->config->limits.message + (1 << 20))) {
        buf_add(&d->says, STR("the message did not come whole, or there is no room in /tmp"));
        return EX_TEMPFAIL;
    }
    struct str text = {0};
    if (!read_forward_file(d, &text)) {
        buf_add(&d->says, STR(".forward cannot be read now"));
        return EX_TEMPFAIL;
    }
    if (!forward_parse(text, &owner, &d->arena, &forward)) {
        ignore(d, forward.error);
    }
    return forward.count > 0 ? follow(d, &forward) : to_file(d, d->mailbox);
}

static void print(const struct delivery *d, int code)
{
    struct str out = buf_str(code == EX_OK && d->forwards.len > 0 ? &d->forwards : &d->says);
    (void)!write(STDOUT_FILENO, out.ptr ? out.ptr : "", out.len);
}

static void carry(const struct config *config, const struct order *order)
{
    static struct delivery d;
    d.config = config;
    set_environment(order);
    d.letter.id = variable("MESSAGE_ID");
    d.letter.sender = variable("SENDER");
    d.letter.recipient = variable("RECIPIENT");
    int code = d.letter.id.len > 0 ? find_mailbox(&d, order->argv[1]) : EX_USAGE;
    if (code == EX_OK) {
        code = person_become(&d.person) ? deliver(&d) : EX_OSERR;
    }
    print(&d, code);
    _exit(code);
}

const struct runner_work postman_work = {.permitted = is_permitted, .child = carry};
