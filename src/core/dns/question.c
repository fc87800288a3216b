#include "core/dns/question.h"

#include <stdarg.h>
#include <stdio.h>

void dns_note_add(struct dns_notes *notes, const char *format, ...)
{
    if (!notes || !notes->arena) {
        return;
    }
    char text[1200]; /* a name takes 1,000 characters at most; what is longer is cut */
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct dns_note *note = ARENA_NEW(notes->arena, struct dns_note);
    if (len < 0 || !note) {
        return;
    }
    note->what = arena_copy(notes->arena, str_from_cstr(text));
    if (notes->last) {
        notes->last->next = note;
    } else {
        notes->first = note;
    }
    notes->last = note;
    notes->count++;
}
