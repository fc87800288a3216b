#include "cli/trace/source.h"

#include "cli/trace/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct str from_line = STR_INIT("From ");

/* The next line with its end, or as much of it as the piece holds. A line shorter than the piece
 * comes whole. */
static struct str next_line(struct source *s)
{
    const char *lf = memchr(s->piece + s->at, '\n', s->len - s->at);
    if (!lf) {
        s->len -= s->at;
        memmove(s->piece, s->piece + s->at, s->len);
        s->at = 0;
        s->len += fread(s->piece + s->len, 1, sizeof s->piece - s->len, s->file);
        lf = memchr(s->piece, '\n', s->len);
    }
    size_t end = lf ? (size_t)(lf - s->piece) + 1 : s->len;
    struct str line = str_from(s->piece + s->at, end - s->at);
    s->at = end;
    return line;
}

static void keep(struct source *s, struct str line)
{
    struct str kept = str_head(line, s->keep - s->message.len);
    buf_add(&s->message, kept);
    s->cut = s->cut || kept.len < line.len;
}

/* In an mbox a line of ">…>From " has one ">" more than it was sent with (mboxrd). */
static struct str unquoted(struct str line)
{
    size_t marks = 0;
    while (marks < line.len && line.ptr[marks] == '>') {
        marks++;
    }
    return marks > 0 && str_starts(str_tail(line, marks), from_line) ? str_tail(line, 1) : line;
}

static void begin_file(struct source *s)
{
    s->number = 0;
    s->at = s->len = 0;
    s->mbox = false;
    s->ended = false;
}

static void name_message(struct source *s, const char *file)
{
    buf_clear(&s->name);
    if (s->mbox && s->all) {
        buf_add_format(&s->name, "message %zu%s", s->number, file ? " of " : "");
    }
    buf_add(&s->name, str_from_cstr(file));
}

/* The next message of the file that is open; false: it has no more. */
static bool take_message(struct source *s, const char *file)
{
    bool empty = true; /* the line before was, or there was none */
    bool start = true; /* a line begins */
    buf_clear(&s->message);
    s->cut = false;
    for (struct str line; !s->ended && (line = next_line(s)).len > 0;) {
        bool separator = start && empty && str_starts(line, from_line);
        bool first = s->number == 0 && s->message.len == 0;
        if (separator && first && !s->mbox) {
            s->mbox = true;
        } else if (separator && s->mbox) {
            s->number++;
            name_message(s, file);
            return true;
        } else {
            keep(s, start && s->mbox ? unquoted(line) : line);
        }
        empty = start && str_trim(line).len == 0;
        start = line.ptr[line.len - 1] == '\n';
        if (s->cut && !s->mbox && s->path) {
            break; /* no other message can follow, and a device may have no end */
        }
    }
    bool found = !s->ended && (s->message.len > 0 || s->mbox);
    s->ended = true;
    s->number++;
    name_message(s, file);
    return found;
}

int source_open(struct source *s)
{
    struct stat st;
    begin_file(s);
    if (!s->path) {
        s->file = stdin;
        return 0;
    }
    if (stat(s->path, &st) != 0) {
        return -errno;
    }
    if (S_ISDIR(st.st_mode)) {
        return s->all ? folder_list(s) : -EISDIR;
    }
    s->file = fopen(s->path, "rb");
    return s->file ? 0 : -errno;
}

/* A folder's file: what is none, or may not be read, is passed over. */
static bool open_file(struct source *s, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        s->file = fdopen(fd, "rb");
        if (s->file) {
            begin_file(s);
            return true;
        }
    }
    s->unreadable++;
    if (fd >= 0) {
        (void)close(fd);
    }
    return false;
}

static int next_of_folder(struct source *s)
{
    while (s->file || s->next_file < s->file_count) {
        if (!s->file && !open_file(s, s->files[s->next_file++])) {
            continue;
        }
        if (take_message(s, s->files[s->next_file - 1])) {
            return s->message.failed || s->name.failed ? -ENOMEM : 1;
        }
        (void)fclose(s->file);
        s->file = NULL;
    }
    return 0;
}

int source_next(struct source *s)
{
    if (s->files) {
        return next_of_folder(s);
    }
    if (s->number > 0 && !s->all) {
        s->more = false;
        return 0;
    }
    bool found = s->file && take_message(s, s->path);
    if (s->file && ferror(s->file)) {
        return -EIO;
    }
    s->more = found && !s->all && !s->ended;
    return s->message.failed || s->name.failed ? -ENOMEM : found;
}

void source_close(struct source *s)
{
    if (s->file && s->file != stdin) {
        (void)fclose(s->file);
    }
    s->file = NULL;
    buf_done(&s->message);
    buf_done(&s->name);
    arena_done(&s->names);
    free(s->files);
    s->files = NULL;
}
