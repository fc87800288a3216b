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

void recent_keep(struct spool_log *log, struct entry *e, const struct append *a)
{
    bool fits = (e->flags & ENTRY_BODY_FILE || e->body_size <= RECENT_EACH) &&
                e->before_body <= RECENT_EACH && log->recent_bytes + size_of(e) <= RECENT_ALL;
    e->recent = fits ? malloc(size_of(e)) : NULL;
    if (!e->recent) {
        return; /* it is on the disk */
    }
    char *to = add(e->recent, str_from(a->head, RECORD_HEAD));
    to = add(to, a->record.envelope);
    to = add(to, a->record.additions);
    to = add(to, a->record.outcomes);
    for (size_t i = 0; i < a->body.count; i++) {
        to = add(to, a->body.pieces[i]);
    }
    log->recent_bytes += size_of(e);
}

void recent_drop(struct spool_log *log, struct entry *e)
{
    if (e->recent) {
        log->recent_bytes -= size_of(e);
        free(e->recent);
        e->recent = NULL;
    }
}
