#include "control/pickup_format.h"

#include "core/base/scan.h"
#include "core/mail/mailbox.h"

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

static bool is_address(struct str text)
{
    struct mailbox mailbox;
    return mailbox_parse(text, &mailbox) == MAILBOX_OK;
}

static bool is_visible(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c == 0x7f) {
            return false;
        }
    }
    return true;
}

/* Its texts come to stand in header lines, commands and reports: a line end in one would write
 * further lines there. */
static bool is_sound(const struct envelope *e)
{
    bool sound = e->rcpt_count > 0 && !e->is_report &&
                 (e->reverse_path.len == 0 || is_address(e->reverse_path)) &&
                 is_visible(e->envid) && is_visible(e->client_name) && is_visible(e->helo) &&
                 is_visible(e->protocol) && is_visible(e->user);
    for (size_t i = 0; sound && i < e->rcpt_count; i++) {
        sound = is_address(e->rcpts[i].address) && is_visible(e->rcpts[i].orcpt);
    }
    return sound;
}

bool pickup_read_head(struct str bytes, struct arena *arena, struct envelope *e, size_t *head)
{
    struct scan sc = {.rest = bytes};
    struct envelope read;
    struct str first = scan_take(&sc, sizeof magic - 1);
    struct str envelope = scan_get_str(&sc);
    if (!scan_ok(&sc) || !str_eq(first, str_from_cstr(magic)) ||
        !envelope_decode(envelope, arena, &read) || !is_sound(&read)) {
        return false;
    }
    *e = read;
    *head = bytes.len - sc.rest.len;
    return true;
}
