#include "core/mail/forward.h"

#include "core/mail/alias_items.h"
#include "core/mail/mailbox.h"

struct reading {
    const struct forward_owner *owner;
    struct arena *arena;
    struct forward *forward;
};

static bool refuse(struct reading *r, const char *error)
{
    r->forward->error = error;
    return false;
}

static bool is_owner(const struct reading *r, struct str name)
{
    return str_eq(name, r->owner->user) || str_eq_nocase(name, r->owner->address);
}

static bool set_address(struct reading *r, struct str text, struct forward_target *target)
{
    struct mailbox mailbox;
    bool escaped = str_starts(text, STR("\\"));
    text = escaped ? str_tail(text, 1) : text;
    if (is_owner(r, text)) {
        target->kind = FORWARD_MAILBOX;
        return true;
    }
    if (str_rfind(text, '@') == STR_NONE) {
        struct str domain = str_tail(r->owner->address, str_rfind(r->owner->address, '@'));
        text = arena_format(r->arena, "%.*s%.*s", STR_ARG(text), STR_ARG(domain));
        if (!text.ptr) {
            return refuse(r, "there is no memory left");
        }
    }
    if (mailbox_parse(text, &mailbox) != MAILBOX_OK) {
        return refuse(r, "this is no address");
    }
    target->kind = is_owner(r, text) ? FORWARD_MAILBOX : FORWARD_ADDRESS;
    target->text = target->kind == FORWARD_ADDRESS ? text : (struct str){0};
    return true;
}

static bool set_target(struct reading *r, const struct alias_item *item,
                       struct forward_target *target)
{
    /* The shell finds a program that is not named by its path; alias files have no shell. */
    if (item->error && item->kind != ITEM_PIPE) {
        return refuse(r, item->error);
    }
    if (str_has_control(item->text) || item->text.len == 0) {
        return refuse(r, "a control character, or nothing");
    }
    *target = (struct forward_target){.text = item->text};
    switch (item->kind) {
    case ITEM_ADDRESS:
        target->text = (struct str){0};
        return set_address(r, item->text, target);
    case ITEM_FILE:
        target->kind = str_ends(item->text, STR("/")) ? FORWARD_MAILDIR : FORWARD_FILE;
        return true;
    case ITEM_PIPE:
        target->kind = FORWARD_PROGRAM;
        return true;
    case ITEM_INCLUDE:
        break;
    }
    return refuse(r, ":include: is for alias files");
}

static bool read_line(struct reading *r, struct str line)
{
    struct alias_items items = {.line = line, .arena = r->arena};
    struct alias_item item;
    while (alias_items_next(&items, &item)) {
        if (r->forward->count == FORWARD_TARGETS_MAX) {
            return refuse(r, "too many targets");
        }
        if (!set_target(r, &item, &r->forward->targets[r->forward->count])) {
            return false;
        }
        r->forward->count++;
    }
    return items.no_memory ? refuse(r, "there is no memory left") : true;
}

bool forward_parse(struct str text, const struct forward_owner *owner, struct arena *arena,
                   struct forward *forward)
{
    struct reading r = {.owner = owner, .arena = arena, .forward = forward};
    *forward = (struct forward){0};
    if (text.len > FORWARD_BYTES_MAX) {
        return refuse(&r, "the file is too long");
    }
    while (text.len > 0) {
        struct str line = str_trim(str_split(&text, '\n'));
        forward->line++;
        if (line.len > 0 && line.ptr[0] != '#' && !read_line(&r, line)) {
            forward->count = 0;
            return false;
        }
    }
    return true;
}
