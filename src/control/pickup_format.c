#include "control/pickup_format.h"

#include "core/base/scan.h"

static const char magic[] = "postrider pickup 1\n";

void pickup_format_head(struct buf *out, const struct envelope *e)
{
    struct buf envelope = {0};
    envelope_encode(&envelope, e);
    out->failed = out->failed || envelope.failed;
    buf_add(out, str_from_cstr(magic));
    buf_put_str(out, buf_str(&envelope));
    buf_done(&envelope);
}

bool pickup_read_head(struct str bytes, struct arena *arena, struct envelope *e, size_t *head)
{
    struct scan sc = {.rest = bytes};
    struct envelope read;
    struct str first = scan_take(&sc, sizeof magic - 1);
    struct str envelope = scan_get_str(&sc);
    if (!scan_ok(&sc) || !str_eq(first, str_from_cstr(magic)) ||
        !envelope_decode(envelope, arena, &read) || read.rcpt_count == 0) {
        return false;
    }
    *e = read;
    *head = bytes.len - sc.rest.len;
    return true;
}
