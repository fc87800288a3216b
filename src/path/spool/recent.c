#include <stdlib.h>
#include <string.h>

#include "path/spool/inside.h"

static size_t size_of(const struct entry *e)
{
    return e->before_body + (e->flags & ENTRY_BODY_FILE ? 0 : (size_t)e->body_size);
}

static char *add(char *to, struct str piece)
{
    if (piece.len > 0) {
        memcpy(to, piece.ptr, piece.len);
    }
    return to + piece.len;
}

/* Makes room by dropping the oldest that nobody reads. */
static bool make_room(struct spool_log *log, size_t size)
{
    for (int i = 0; i < RECENT_LOOK && log->recent_bytes + size > RECENT_ALL; i++) {
        struct list *node = list_pop(&log->recents);
        if (!node) {
            break;
        }
        struct recent *oldest = CONTAINER_OF(node, struct recent, link);
        list_append(&log->recents, &oldest->link);
        if (oldest->entry->pins == 0) {
            recent_drop(log, oldest->entry);
        }
    }
    return log->recent_bytes + size <= RECENT_ALL;
}

void recent_keep(struct spool_log *log, struct entry *e, const struct append *a)
{
    size_t size = size_of(e);
    if (size > RECENT_EACH || !make_room(log, size)) {
        return;
    }
    struct recent *recent = malloc(sizeof *recent + size);
    if (!recent) {
        return; /* it is on the disk */
    }
    char *to = add(recent->bytes, str_from(a->head, RECORD_HEAD));
    to = add(to, a->record.envelope);
    to = add(to, a->record.additions);
    to = add(to, a->record.outcomes);
    for (size_t i = 0; i < a->body.count; i++) {
        to = add(to, a->body.pieces[i]);
    }
    recent->entry = e;
    e->recent = recent;
    list_append(&log->recents, &recent->link);
    log->recent_bytes += size;
}

void recent_drop(struct spool_log *log, struct entry *e)
{
    if (e->recent) {
        log->recent_bytes -= size_of(e);
        list_remove(&e->recent->link);
        free(e->recent);
        e->recent = NULL;
    }
}
