#include "config/written.h"

#include "core/dns/idn.h"
#include "core/mail/mailbox.h"

/* Any domain will do to make a local part an address that the grammar knows. */
#define NO_DOMAIN STR("@localhost")

static const char *reason_of(enum mailbox_error error)
{
    switch (error) {
    case MAILBOX_LOCAL_TOO_LONG:
        return "the local part is longer than 64 octets";
    case MAILBOX_DOMAIN_TOO_LONG:
        return "the domain is longer than 255 octets";
    case MAILBOX_TOO_LONG:
        return "the address is longer than 254 octets";
    case MAILBOX_OK:
    case MAILBOX_SYNTAX:
        break;
    }
    return "this is no address";
}

static void lower(struct buf *text)
{
    for (size_t i = 0; i < text->len; i++) {
        text->ptr[i] = ascii_lower(text->ptr[i]);
    }
}

/* Takes what `text` holds into the arena, and empties it. */
static struct str take(struct buf *text, struct arena *arena)
{
    struct str made = text->failed ? (struct str){0} : arena_copy(arena, buf_str(text));
    buf_done(text);
    return made;
}

static bool fill(const struct mailbox *mailbox, bool has_domain, struct arena *arena,
                 struct written_address *made)
{
    struct buf text = {0};
    mailbox_format(&text, mailbox);
    made->text = take(&text, arena);
    mailbox_local_unquoted(&text, mailbox);
    lower(&text);
    made->local = take(&text, arena);
    if (!made->text.ptr || !made->local.ptr) {
        return false;
    }
    if (!has_domain) {
        made->text.len -= NO_DOMAIN.len;
        return true;
    }
    /* An address literal is no name of the DNS, and stays as it is. */
    if (mailbox->domain.kind != DOMAIN_NAME || !idn_to_ascii(&text, mailbox->domain.text)) {
        buf_add(&text, mailbox->domain.text);
        lower(&text);
    }
    made->domain = take(&text, arena);
    return made->domain.ptr != NULL;
}

bool written_address_parse(struct str text, struct arena *arena, struct written_address *address,
                           const char **reason)
{
    struct mailbox mailbox;
    struct written_address made = {0};
    struct buf whole = {0};
    /* A quoted local part may hold an "@": a domain's comes after the quotes. */
    bool has_domain = str_rfind(text, '@') != STR_NONE && !str_ends(text, STR("\""));
    buf_add(&whole, text);
    buf_add(&whole, has_domain ? STR("") : NO_DOMAIN);
    enum mailbox_error error = whole.failed ? MAILBOX_OK : mailbox_parse(buf_str(&whole), &mailbox);
    *reason = whole.failed || error == MAILBOX_OK ? NULL : reason_of(error);
    bool ok = !whole.failed && error == MAILBOX_OK && fill(&mailbox, has_domain, arena, &made);
    buf_done(&whole);
    if (ok) {
        *address = made;
    }
    return ok;
}
