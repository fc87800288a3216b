#include "config/users.h"

#include "config/file.h"
#include "config/lines.h"
#include "config/written.h"

#include <stdlib.h>
#include <string.h>

enum { PROBLEMS_MAX = 100 };

struct entry {
    struct config_user user;
    uint32_t line;
};

struct reading {
    struct str file_name;
    struct arena *arena;
    struct config_problems *problems;
    unsigned problem_count;
    struct entry *entries;
    size_t count;
};

static void refuse(struct reading *r, uint32_t line, size_t offset, const char *reason)
{
    struct config_place place = {r->file_name, line, (uint32_t)offset + 1};
    r->problem_count++;
    config_problem(r->problems, false, place, "%s", reason ? reason : "memory is exhausted");
}

/* Where the name ends: a colon outside of quotes, or the line's end. */
static size_t name_end(struct str line)
{
    bool quoted = false;
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] == ':' && !quoted) {
            return i;
        }
        if (line.ptr[i] == '"') {
            quoted = !quoted;
        } else if (line.ptr[i] == '\\' && quoted) {
            i++;
        }
    }
    return line.len;
}

static void read_line(struct reading *r, struct str line, uint32_t number)
{
    struct entry *entry = &r->entries[r->count];
    struct written_address address;
    const char *reason;
    size_t colon = name_end(line);
    struct str name = str_trim(str_head(line, colon));
    struct str full = str_trim(str_tail(line, colon + 1));
    size_t at = (size_t)(name.ptr - line.ptr);
    if (str_eq(name, STR("*"))) {
        refuse(r, number, at, "\"*\" stands in the configuration itself: users: [\"*\"]");
    } else if (!written_address_parse(name, r->arena, &address, &reason)) {
        refuse(r, number, at,
               reason ? "expected a user's local part, then perhaps a colon and the full name"
                      : NULL);
    } else if (address.domain.len > 0) {
        refuse(r, number, at, "a user is named by the local part alone, without \"@\" and domain");
    } else if (str_has_control(full)) {
        refuse(r, number, colon + 1, "a control character in a full name");
    } else {
        entry->line = number;
        entry->user.local = address.local;
        entry->user.full_name = full.len > 0 ? arena_copy(r->arena, full) : (struct str){0};
        if (full.len > 0 && !entry->user.full_name.ptr) {
            refuse(r, number, 0, NULL);
        }
        r->count++;
    }
}

static int by_local_and_line(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;
    int order = str_cmp(a->user.local, b->user.local);
    return order ? order : (a->line > b->line) - (a->line < b->line);
}

static void find_duplicates(struct reading *r)
{
    for (size_t i = 1; i < r->count && r->problem_count < PROBLEMS_MAX; i++) {
        const struct entry *e = &r->entries[i];
        if (str_eq(e->user.local, e[-1].user.local)) {
            struct config_place place = {r->file_name, e->line, 1};
            r->problem_count++;
            config_problem(r->problems, false, place, "the user \"%.*s\" stands in line %u already",
                           STR_ARG(e->user.local), (unsigned)e[-1].line);
        }
    }
}

static void hand_over(struct reading *r, struct config_domain *domain)
{
    struct config_user *users = arena_array(r->arena, r->count ? r->count : 1, sizeof *users);
    if (!users) {
        refuse(r, 0, 0, NULL);
        return;
    }
    for (size_t i = 0; i < r->count; i++) {
        users[i] = r->entries[i].user;
    }
    domain->users = users;
    domain->user_count = r->count;
}

void users_parse(struct str file_name, struct str text, struct arena *arena,
                 struct config_domain *domain, struct config_problems *problems)
{
    size_t lines_most = 1;
    for (size_t i = 0; i < text.len; i++) {
        lines_most += text.ptr[i] == '\n';
    }
    struct reading r = {.file_name = file_name, .arena = arena, .problems = problems};
    r.entries = calloc(lines_most, sizeof *r.entries);
    if (!r.entries) {
        refuse(&r, 0, 0, NULL);
        return;
    }
    struct lines lines = lines_begin(text);
    for (struct str line; r.problem_count < PROBLEMS_MAX && lines_next(&lines, &line);) {
        read_line(&r, line, lines.number);
    }
    qsort(r.entries, r.count, sizeof *r.entries, by_local_and_line);
    find_duplicates(&r);
    hand_over(&r, domain);
    free(r.entries);
}

void users_load(struct str path, struct config_place at, struct arena *arena,
                struct config_domain *domain, struct config_problems *problems)
{
    struct buf text = {0};
    int error = file_read(path, USERS_FILE_MAX, &text);
    if (error) {
        config_problem(problems, false, at, "%.*s cannot be read: %s", STR_ARG(path),
                       strerror(-error));
    } else {
        users_parse(path, buf_str(&text), arena, domain, problems);
    }
    buf_done(&text);
}
