#include "config/aliases.h"

#include "config/file.h"
#include "config/lines.h"
#include "config/written.h"
#include "core/mail/alias_items.h"

#include <stdlib.h>
#include <string.h>

enum { PROBLEMS_MAX = 100, FILES_MAX = 10000, SHOWN_MAX = 80 };

/* A file being read: the alias file, or one that :include: named, `depth` files below it. */
struct source {
    struct str file;
    struct lines lines;
    const struct source *parent;
    unsigned depth;
};

struct entry {
    struct alias alias;
    struct config_place place;
};

struct parser {
    struct arena *arena;
    struct config_domain *domain;
    struct config_problems *problems;
    struct aliases_reader *reader;
    struct entry *entries;
    size_t entry_count, entry_cap;
    /* Of the entry being read: */
    bool open, bad_name, is_catch_all;
    struct alias_target *targets;
    size_t target_count, target_cap;
    unsigned entry_problems, entry_lists;
    /* Over all: */
    size_t total_targets;
    size_t included_octets;
    unsigned included_files;
    unsigned problem_count;
    bool stopped; /* too many problems, a limit passed, or no memory: what follows is not read */
};

static struct config_place place_of(const struct source *source, size_t offset)
{
    return (struct config_place){source->file, source->lines.number, (uint32_t)offset + 1};
}

/* Text from a file may be anything; people see its beginning, without what could steer a terminal.
 */
static struct str shown(struct parser *p, struct str text)
{
    struct buf out = {0};
    for (size_t i = 0; i < text.len && i < SHOWN_MAX; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        buf_add_char(&out, c < 0x20 || c == 0x7f ? '?' : text.ptr[i]);
    }
    buf_add(&out, text.len > SHOWN_MAX ? STR("...") : STR(""));
    struct str made = out.failed ? (struct str){0} : arena_copy(p->arena, buf_str(&out));
    buf_done(&out);
    return made;
}

static void refuse(struct parser *p, struct config_place place, const char *what, struct str text)
{
    struct str visible = shown(p, text);
    p->entry_problems++;
    p->problem_count++;
    p->stopped = p->stopped || p->problem_count >= PROBLEMS_MAX;
    if (visible.len > 0) {
        config_problem(p->problems, false, place, "%s: \"%.*s\"", what, STR_ARG(visible));
    } else {
        config_problem(p->problems, false, place, "%s", what);
    }
}

static void out_of_memory(struct parser *p, struct config_place place)
{
    if (!p->stopped) {
        p->stopped = true;
        refuse(p, place, "memory is exhausted", (struct str){0});
    }
}

static void add_target(struct parser *p, struct config_place place, enum alias_target_kind kind,
                       struct str text)
{
    if (p->total_targets == ALIASES_TARGETS_MAX) {
        refuse(p, place, "more targets than the 1000000 of one file", (struct str){0});
        p->stopped = true;
        return;
    }
    if (p->target_count == p->target_cap) {
        size_t cap = p->target_cap ? p->target_cap * 2 : 16;
        struct alias_target *grown = realloc(p->targets, cap * sizeof *grown);
        if (!grown) {
            out_of_memory(p, place);
            return;
        }
        p->targets = grown;
        p->target_cap = cap;
    }
    p->targets[p->target_count++] = (struct alias_target){kind, text};
    p->total_targets++;
}

static void add_copy(struct parser *p, struct config_place place, enum alias_target_kind kind,
                     struct str text)
{
    struct str copy = arena_copy(p->arena, text);
    if (copy.ptr) {
        add_target(p, place, kind, copy);
    } else {
        out_of_memory(p, place);
    }
}

/* "\local" keeps its backslash: the mailbox itself, whatever aliases say (path/route/local.c). */
static void add_address(struct parser *p, struct config_place place, struct str text)
{
    bool escaped = str_starts(text, STR("\\"));
    struct written_address address;
    const char *reason;
    if (!written_address_parse(escaped ? str_tail(text, 1) : text, p->arena, &address, &reason)) {
        if (reason) {
            refuse(p, place, reason, text);
        } else {
            out_of_memory(p, place);
        }
        return;
    }
    struct str target =
        escaped ? arena_format(p->arena, "\\%.*s", STR_ARG(address.text)) : address.text;
    if (target.ptr) {
        add_target(p, place, ALIAS_ADDRESS, target);
    } else {
        out_of_memory(p, place);
    }
}

/* There is no shell: what would mean something to one is most likely a mistake. */
static void add_pipe(struct parser *p, struct config_place place, struct str command)
{
    static const char special[] = "|&;<>$`\"'*\\";
    for (size_t i = 0; i < command.len; i++) {
        if (str_find(str_from(special, sizeof special - 1), command.ptr[i]) != STR_NONE) {
            config_problem(p->problems, true, place,
                           "no shell runs this program: \"%c\" goes to it as it is",
                           command.ptr[i]);
            break;
        }
    }
    add_copy(p, place, ALIAS_PIPE, command);
}

static bool note_file(struct parser *p, struct str path)
{
    struct config_file *file = ARENA_NEW(p->arena, struct config_file);
    if (file) {
        *file = (struct config_file){.path = path, .next = p->domain->alias_files};
        p->domain->alias_files = file;
    }
    return file != NULL;
}

static void include(struct parser *p, const struct source *from, struct config_place place,
                    struct str path);

static void take_item(struct parser *p, const struct source *source, const struct alias_item *item)
{
    struct config_place place = place_of(source, item->offset);
    bool local_only = item->kind == ITEM_FILE || item->kind == ITEM_PIPE;
    if (item->error) {
        refuse(p, place, item->error, item->text);
        return;
    }
    if (local_only && source->depth > 0) {
        refuse(p, place, "a list names addresses only, no files or programs", item->text);
        return;
    }
    switch (item->kind) {
    case ITEM_ADDRESS:
        add_address(p, place, item->text);
        break;
    case ITEM_FILE:
        add_copy(p, place, ALIAS_FILE, item->text);
        break;
    case ITEM_PIPE:
        add_pipe(p, place, item->text);
        break;
    case ITEM_INCLUDE:
        include(p, source, place, item->text);
        break;
    }
}

/* The items of a line from `offset` on. */
static void take_items(struct parser *p, const struct source *source, struct str line,
                       size_t offset)
{
    struct alias_items items = {.line = line, .at = offset, .arena = p->arena};
    for (struct alias_item item; !p->stopped && alias_items_next(&items, &item);) {
        take_item(p, source, &item);
    }
    if (items.no_memory) {
        out_of_memory(p, place_of(source, offset));
    }
}

/* What speaks against reading the list, or null. */
static const char *include_obstacle(const struct parser *p, const struct source *from,
                                    struct str path)
{
    for (const struct source *s = from; s; s = s->parent) {
        if (str_eq(s->file, path)) {
            return "this list includes itself";
        }
    }
    if (from->depth == ALIASES_DEPTH_MAX) {
        return "lists are included within each other more than 8 deep";
    }
    if (p->included_files == FILES_MAX) {
        return "more than 10000 lists are included";
    }
    return NULL;
}

static void read_list(struct parser *p, const struct source *from, struct config_place place,
                      struct str path)
{
    struct buf text = {0};
    int error = p->reader->read(p->reader, path, &text);
    p->included_files++;
    p->entry_lists++;
    if (error) {
        refuse(p, place, strerror(-error), path);
    } else if (text.len > ALIASES_INCLUDED_MAX - p->included_octets) {
        refuse(p, place, "the lists are larger than 64 MiB in all", path);
    } else {
        p->included_octets += text.len;
        struct source list = {.file = path,
                              .lines = lines_begin(buf_str(&text)),
                              .parent = from,
                              .depth = from->depth + 1};
        for (struct str line; !p->stopped && lines_next(&list.lines, &line);) {
            take_items(p, &list, line, 0);
        }
    }
    buf_done(&text);
}

static void include(struct parser *p, const struct source *from, struct config_place place,
                    struct str path)
{
    const char *obstacle = include_obstacle(p, from, path);
    /* The text that the path is in may be gone when problems are read. */
    struct str kept = arena_copy(p->arena, path);
    if (obstacle) {
        refuse(p, place, obstacle, path);
    } else if (!kept.ptr || !note_file(p, kept)) {
        out_of_memory(p, place);
    } else {
        read_list(p, from, place, kept);
    }
}

static void begin_entry(struct parser *p)
{
    p->open = true;
    p->bad_name = false;
    p->is_catch_all = false;
    p->target_count = 0;
    p->entry_problems = 0;
    p->entry_lists = 0;
}

static struct entry *new_entry(struct parser *p, struct config_place place)
{
    if (p->entry_count == p->entry_cap) {
        size_t cap = p->entry_cap ? p->entry_cap * 2 : 64;
        struct entry *grown = realloc(p->entries, cap * sizeof *grown);
        if (!grown) {
            out_of_memory(p, place);
            return NULL;
        }
        p->entries = grown;
        p->entry_cap = cap;
    }
    struct entry *made = &p->entries[p->entry_count++];
    *made = (struct entry){.place = place};
    return made;
}

/* The name in lower case, as path/route looks for it; null, and `*reason`, where it is none. */
static struct str read_name(struct parser *p, struct str name, const char **reason)
{
    struct written_address address;
    struct str none = {0};
    p->is_catch_all = str_starts(name, STR("@"));
    /* Any local part will do to make the catch-all's domain an address. */
    struct str whole = p->is_catch_all ? arena_format(p->arena, "x%.*s", STR_ARG(name)) : name;
    *reason = NULL;
    if (!whole.ptr || !written_address_parse(whole, p->arena, &address, reason)) {
        return none;
    }
    if (p->is_catch_all) {
        return address.domain;
    }
    return address.domain.len > 0 ? arena_format(p->arena, "%.*s@%.*s", STR_ARG(address.local),
                                                 STR_ARG(address.domain))
                                  : address.local;
}

/* Where the colon is that ends the name, or STR_NONE; one in quotes or in an address literal's
 * brackets is the name's own. */
static size_t find_colon(struct str line)
{
    bool quoted = false;
    bool bracketed = false;
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        if (c == ':' && !quoted && !bracketed) {
            return i;
        }
        i += c == '\\' && quoted;
        quoted = c == '"' ? !quoted : quoted;
        bracketed = !quoted && (c == '[' || (bracketed && c != ']'));
    }
    return STR_NONE;
}

static void start_entry(struct parser *p, const struct source *source, struct str line)
{
    struct config_place place = place_of(source, 0);
    size_t colon = find_colon(line);
    begin_entry(p);
    if (colon == STR_NONE) {
        refuse(p, place, "expected \"name: target, ...\"", line);
        p->bad_name = true;
        return;
    }
    const char *reason;
    struct entry *entry = new_entry(p, place);
    struct str written = str_trim(str_head(line, colon));
    struct str name = entry ? read_name(p, written, &reason) : (struct str){0};
    if (!entry || (!name.ptr && !reason)) {
        out_of_memory(p, place);
        return;
    }
    if (!name.ptr) {
        refuse(p, place, "expected a name: \"local\", \"local@domain\" or \"@domain\"", written);
        p->bad_name = true;
        p->entry_count--;
    }
    entry->alias.name = name;
    take_items(p, source, line, colon + 1);
}

static void end_catch_all(struct parser *p, const struct entry *entry)
{
    struct config_domain *domain = p->domain;
    bool ours = str_eq_nocase(entry->alias.name, domain->name);
    bool one = p->target_count == 1 && p->targets[0].kind == ALIAS_ADDRESS &&
               !str_starts(p->targets[0].text, STR("\\"));
    if (!one) {
        refuse(p, entry->place, "a catch-all has one address (which may be an alias for more)",
               (struct str){0});
    } else if (ours && domain->catch_all.len > 0) {
        refuse(p, entry->place, "this domain has a catch-all already", domain->catch_all);
    } else if (ours) {
        domain->catch_all = p->targets[0].text;
    }
    p->entry_count--;
}

/* Nobody would ever see the mail. A list, though, may have lost its last member. */
static void check_not_empty(struct parser *p, const struct entry *entry)
{
    if (p->target_count > 0 || p->entry_problems > 0) {
        return;
    }
    if (p->entry_lists > 0) {
        config_problem(p->problems, true, entry->place,
                       "this list is empty: its mail is thrown away");
    } else {
        refuse(p, entry->place, "expected a target: nobody would get the mail of",
               entry->alias.name);
    }
}

/* All lines of the entry are read. */
static void end_entry(struct parser *p)
{
    bool complete = p->open && !p->bad_name && !p->stopped;
    p->open = false;
    if (!complete) {
        return;
    }
    struct entry *entry = &p->entries[p->entry_count - 1];
    check_not_empty(p, entry);
    if (p->is_catch_all) {
        end_catch_all(p, entry);
        return;
    }
    struct alias *alias = &entry->alias;
    size_t size = p->target_count * sizeof *alias->targets;
    alias->targets = arena_alloc(p->arena, size);
    if (!alias->targets) {
        out_of_memory(p, entry->place);
        return;
    }
    if (size > 0) {
        memcpy(alias->targets, p->targets, size);
    }
    alias->target_count = p->target_count;
}

static void read_file(struct parser *p, struct source *source)
{
    for (struct str line; !p->stopped && lines_next(&source->lines, &line);) {
        bool more = line.ptr[0] == ' ' || line.ptr[0] == '\t';
        if (more && !p->open) {
            refuse(p, place_of(source, 0),
                   "a line that begins with a blank goes on with the one "
                   "before it, and there is none",
                   line);
        } else if (more) {
            take_items(p, source, line, 0);
        } else {
            end_entry(p);
            start_entry(p, source, line);
        }
    }
    end_entry(p);
}

static int by_name_and_line(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;
    int order = str_cmp(a->alias.name, b->alias.name);
    return order ? order : (a->place.line > b->place.line) - (a->place.line < b->place.line);
}

static void find_duplicates(struct parser *p)
{
    for (size_t i = 1; i < p->entry_count && !p->stopped; i++) {
        const struct entry *e = &p->entries[i];
        if (str_eq(e->alias.name, e[-1].alias.name)) {
            struct str name = shown(p, e->alias.name);
            p->problem_count++;
            p->stopped = p->problem_count >= PROBLEMS_MAX;
            config_problem(p->problems, false, e->place,
                           "the alias \"%.*s\" stands in line %u already", STR_ARG(name),
                           (unsigned)e[-1].place.line);
        }
    }
}

static void hand_over(struct parser *p)
{
    size_t count = p->entry_count;
    struct alias *aliases = arena_array(p->arena, count ? count : 1, sizeof *aliases);
    if (!aliases) {
        out_of_memory(p, (struct config_place){0});
        return;
    }
    for (size_t i = 0; i < count; i++) {
        aliases[i] = p->entries[i].alias;
    }
    p->domain->aliases = aliases;
    p->domain->alias_count = count;
}

void aliases_parse(const struct aliases_input *input, struct arena *arena,
                   struct config_domain *domain, struct config_problems *problems)
{
    struct parser p = {
        .arena = arena, .domain = domain, .problems = problems, .reader = input->reader};
    struct source source = {.file = input->file_name, .lines = lines_begin(input->text)};
    read_file(&p, &source);
    if (p.entry_count > 0) {
        qsort(p.entries, p.entry_count, sizeof *p.entries, by_name_and_line);
    }
    find_duplicates(&p);
    hand_over(&p);
    free(p.targets);
    free(p.entries);
}

static int read_from_disk(struct aliases_reader *reader, struct str path, struct buf *out)
{
    (void)reader;
    return file_read(path, ALIASES_FILE_MAX, out);
}

void aliases_load(struct str path, struct config_place at, struct arena *arena,
                  struct config_domain *domain, struct config_problems *problems)
{
    struct aliases_reader disk = {.read = read_from_disk};
    struct buf text = {0};
    int error = file_read(path, ALIASES_FILE_MAX, &text);
    if (error) {
        config_problem(problems, false, at, "%.*s cannot be read: %s", STR_ARG(path),
                       strerror(-error));
    } else {
        struct aliases_input input = {path, buf_str(&text), &disk};
        aliases_parse(&input, arena, domain, problems);
    }
    buf_done(&text);
}
