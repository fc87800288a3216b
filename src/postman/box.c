#include "postman/box.h"

#include "path/deliver/deposit.h"
#include "path/deliver/local_delivery.h"
#include "path/deliver/maildir.h"
#include "path/deliver/mbox.h"
#include "path/deliver/mbox_quote.h"
#include "world/disk_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 65536 };

static struct instant now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (struct instant){(int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000};
}

/* A full disk or a broken link is the user's to mend: the mail waits. */
static int trouble(struct buf *says, const char *what, struct str path, int error)
{
    buf_add_format(says, "cannot %s %.*s: %s", what, STR_ARG(path), strerror(error));
    return EX_TEMPFAIL;
}

static void make_folders(struct str path, struct arena *arena)
{
    static const char *const names[] = {"", "/tmp", "/new", "/cur"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct str folder = arena_format(arena, "%.*s%s", STR_ARG(path), names[i]);
        if (folder.ptr && mkdir(folder.ptr, 0700) == 0) {
            (void)disk_calls.sync_folder(&disk_calls, local_folder_of(folder));
        }
    }
}

static struct str make_name(const struct letter *letter, struct str hostname, struct arena *arena)
{
    uint64_t entropy = 0;
    struct buf text = {0};
    if (getrandom(&entropy, sizeof entropy, 0) != (ssize_t)sizeof entropy) {
        return (struct str){0};
    }
    maildir_name_format(&text, &(struct maildir_name){.now = now(),
                                                      .id = letter->id,
                                                      .count = (uint64_t)getpid(),
                                                      .entropy = entropy,
                                                      .hostname = hostname});
    struct str name = text.failed ? (struct str){0} : arena_copy(arena, buf_str(&text));
    buf_done(&text);
    return name;
}

int box_maildir(const struct letter *letter, struct str path, struct str hostname, struct buf *says)
{
    struct arena arena = {0};
    struct str bare = local_bare_path(path);
    struct str name = make_name(letter, hostname, &arena);
    struct deposit d = {
        .draft = arena_format(&arena, "%.*s/tmp/%.*s", STR_ARG(bare), STR_ARG(name)),
        .final = arena_format(&arena, "%.*s/new/%.*s,S=%zu", STR_ARG(bare), STR_ARG(name),
                              letter->text.len),
        .bytes = letter->text,
        .result = name.ptr ? 0 : -ENOMEM,
    };
    if (name.ptr && d.draft.ptr && d.final.ptr) {
        deposit_at_once(&d, &disk_calls);
        if (d.result == -ENOENT) {
            make_folders(bare, &arena);
            d.result = 0;
            d.at = (struct str){0};
            deposit_at_once(&d, &disk_calls);
        }
    }
    int code = EX_OK;
    if (d.result < 0) {
        code = trouble(says, "deliver to the Maildir", path, (int)-d.result);
    } else {
        buf_add_format(says, "kept in the Maildir %.*s", STR_ARG(path));
    }
    arena_done(&arena);
    return code;
}

static bool append(int file, const struct letter *letter)
{
    struct mbox_quoter quoter = {0};
    struct buf out = {0};
    bool fine = true;
    mbox_from_line(&out, letter->sender, now());
    for (struct str rest = letter->text; fine && rest.len > 0; rest = str_tail(rest, PIECE)) {
        mbox_quote(&quoter, str_head(rest, PIECE), &out);
        fine = !out.failed && letter_write(file, buf_str(&out));
        buf_clear(&out);
    }
    mbox_quote_end(&quoter, &out);
    buf_add_char(&out, '\n');
    fine = fine && !out.failed && letter_write(file, buf_str(&out)) && fsync(file) == 0;
    buf_done(&out);
    return fine;
}

/* Of two names for one file, or a file of another's, nobody can say whose mail it is. */
static int check_file(int file)
{
    struct stat st;
    if (fstat(file, &st) != 0) {
        return errno;
    }
    return !S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid != geteuid() ? EPERM : 0;
}

static int append_locked(const struct letter *letter, int file)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    while (fcntl(file, F_SETLKW, &lock) != 0) { /* the worker's time limit ends it */
        if (errno != EINTR) {
            return errno;
        }
    }
    off_t end = lseek(file, 0, SEEK_END);
    if (end < 0 || append(file, letter)) {
        return end < 0 ? errno : 0;
    }
    int error = errno ? errno : EIO;
    (void)!ftruncate(file, end);
    (void)fsync(file);
    return error;
}

int box_mbox(const struct letter *letter, struct str path, struct buf *says)
{
    struct arena arena = {0};
    struct str lock = arena_format(&arena, "%.*s.lock", STR_ARG(path));
    struct str name = arena_copy(&arena, path);
    int dot = lock.ptr ? open(lock.ptr, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    int error = dot < 0 && errno == EEXIST ? EAGAIN : 0;
    int file = -1;
    error = name.ptr && lock.ptr ? error : ENOMEM;
    if (!error) {
        file = open(name.ptr,
                    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                    0600);
        error = file < 0 ? errno : check_file(file);
    }
    if (!error) {
        error = append_locked(letter, file);
        (void)disk_calls.sync_folder(&disk_calls, local_folder_of(path));
    }
    if (file >= 0) {
        close(file);
    }
    if (dot >= 0) {
        close(dot);
        (void)unlink(lock.ptr);
    }
    arena_done(&arena);
    if (error) {
        return trouble(says, "append to the mbox", path, error);
    }
    buf_add_format(says, "appended to the mbox %.*s", STR_ARG(path));
    return EX_OK;
}
