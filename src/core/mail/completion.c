#include "core/mail/completion.h"

bool completion_of_host(const struct completion *completion, struct str host)
{
    struct domain domain;
    bool whole = !completion->hosts || str_find(completion->domain, '.') == STR_NONE ||
                 str_find(host, '.') != STR_NONE || !domain_parse(host, &domain) ||
                 domain.kind != DOMAIN_NAME;
    for (size_t i = 0; !whole && i < completion->standing_count; i++) {
        whole = str_eq_nocase(host, completion->standing[i]);
    }
    return !whole;
}

enum mailbox_error completion_mailbox(const struct completion *completion, const struct path *path,
                                      struct arena *arena, struct mailbox *whole)
{
    struct str local = path->mailbox.local;
    struct str host = path->mailbox.domain.text;
    struct str text;
    if (path->unqualified && completion->domain.len > 0) {
        text = arena_format(arena, "%.*s@%.*s", STR_ARG(local), STR_ARG(completion->domain));
    } else if (!path->unqualified && completion_of_host(completion, host)) {
        text = arena_format(arena, "%.*s@%.*s.%.*s", STR_ARG(local), STR_ARG(host),
                            STR_ARG(completion->domain));
    } else if (path->unqualified) {
        return MAILBOX_SYNTAX;
    } else {
        *whole = path->mailbox;
        return MAILBOX_OK;
    }
    return mailbox_parse(text, whole);
}
