/* Properties: what is taken is of a form that may be acted on, whatever the file holds, and what is
 * refused gives no target. */
#include <stdio.h>
#include <stdlib.h>

#include "core/mail/forward.h"
#include "core/mail/mailbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static void check_target(const struct forward_target *t)
{
    struct mailbox mailbox;
    switch (t->kind) {
    case FORWARD_ADDRESS:
        check(mailbox_parse(t->text, &mailbox) == MAILBOX_OK, "an address is one");
        break;
    case FORWARD_MAILBOX:
        check(t->text.len == 0, "the mailbox has no name");
        break;
    case FORWARD_FILE:
    case FORWARD_MAILDIR:
        check(str_starts(t->text, STR("/")), "a path is absolute");
        check(str_ends(t->text, STR("/")) == (t->kind == FORWARD_MAILDIR), "a Maildir ends so");
        break;
    case FORWARD_PROGRAM:
        check(t->text.len > 0, "a command is something");
        break;
    }
    check(!str_has_control(t->text), "nothing holds a control character");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct forward forward;
    const struct forward_owner owner = {.user = STR("ann"), .address = STR("ann@a.example")};
    struct arena arena = {0};
    bool fine = forward_parse(str_from((const char *)data, size), &owner, &arena, &forward);
    check(fine || (forward.count == 0 && forward.error), "what is refused gives no target");
    for (size_t i = 0; i < forward.count; i++) {
        check_target(&forward.targets[i]);
    }
    arena_done(&arena);
    return 0;
}
