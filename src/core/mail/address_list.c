#include "core/mail/address_list.h"

/* Takes a comment with those inside it; false: it never ends. */
static bool skip_comment(struct str *rest)
{
    size_t depth = 0;
    for (size_t i = 0; i < rest->len; i++) {
        char c = rest->ptr[i];
        if (c == '\\') {
            i++;
        } else if (c == '(') {
            depth++;
        } else if (c == ')' && --depth == 0) {
            *rest = str_tail(*rest, i + 1);
            return true;
        }
    }
    return false;
}

/* The length of the quoted string or domain literal at the front, or 0: it never ends. */
static size_t closed_length(struct str rest, char close)
{
    for (size_t i = 1; i < rest.len; i++) {
        if (rest.ptr[i] == '\\') {
            i++;
        } else if (rest.ptr[i] == close) {
            return i + 1;
        }
    }
    return 0;
}

/* Moves a whole "…" or […] over; false: it never ends. */
static bool take_closed(struct address_list *list, struct buf *address, char close)
{
    size_t n = closed_length(list->rest, close);
    buf_add(address, str_head(list->rest, n));
    list->rest = str_tail(list->rest, n);
    return n > 0;
}

/* Inside "<…>" a route before the address is dropped ("<@a,@b:c@d>"). */
static void drop_route(struct buf *address)
{
    size_t colon = str_find(buf_str(address), ':');
    if (address->len > 0 && address->ptr[0] == '@' && colon != STR_NONE) {
        buf_drop(address, colon + 1);
    }
}

enum step { STEP_ON, STEP_END, STEP_DAMAGED };

/* Takes one lexical token; `*angle` is set within "<…>", `*angled` once it was closed. */
static enum step take_token(struct address_list *list, struct buf *address, bool *angle,
                            bool *angled)
{
    char c = list->rest.ptr[0];
    if (c == '(') {
        return skip_comment(&list->rest) ? STEP_ON : STEP_DAMAGED;
    }
    if (c == '"' || c == '[') {
        struct buf ignored = {0};
        struct buf *into = *angled ? &ignored : address;
        bool closed = take_closed(list, into, c == '"' ? '"' : ']');
        buf_done(&ignored);
        return closed ? STEP_ON : STEP_DAMAGED;
    }
    list->rest = str_tail(list->rest, 1);
    if ((*angled && (c == '<' || c == ':')) || (!*angle && c == '>')) {
        /* "<a> <b>", "<a>:", "<a> > b": readers differ in what it names */
        return STEP_DAMAGED;
    }
    if (c == '<') {
        buf_clear(address); /* what came before was a name */
        *angle = true;
    } else if (c == '>') {
        *angled = *angle;
        *angle = false;
    } else if (!*angle && (c == ',' || c == ';')) {
        return STEP_END;
    } else if (!*angle && c == ':') {
        buf_clear(address); /* a group's name */
    } else if (!*angled && str_find(STR(" \t\r\n"), c) == STR_NONE) {
        buf_add_char(address, c);
    }
    return STEP_ON;
}

bool address_list_next(struct address_list *list, struct buf *address)
{
    buf_clear(address);
    while (list->rest.len > 0) {
        bool angle = false;
        bool angled = false;
        enum step step = STEP_ON;
        buf_clear(address);
        while (step == STEP_ON && list->rest.len > 0) {
            step = take_token(list, address, &angle, &angled);
        }
        if (step == STEP_DAMAGED || angle) {
            list->damaged = true;
            list->rest = (struct str){0};
            return false;
        }
        drop_route(address);
        if (address->failed || address->len > 0) {
            return !address->failed;
        }
    }
    return false;
}
