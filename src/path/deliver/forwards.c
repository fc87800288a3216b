#include "path/deliver/forwards.h"

#include "core/mail/forward.h"
#include "core/mail/mailbox.h"

static const struct str mark = STR_INIT("> ");

bool forwards_begin(struct str output)
{
    return str_starts(output, mark);
}

static bool read_address(struct arena *arena, struct str line, struct outcome_child *child)
{
    struct mailbox mailbox;
    if (!str_starts(line, mark) ||
        mailbox_parse(str_tail(line, mark.len), &mailbox) != MAILBOX_OK) {
        return false;
    }
    child->address = arena_copy(arena, str_tail(line, mark.len));
    return child->address.ptr != NULL;
}

struct local_verdict forwards_read(struct str output, struct arena *arena, struct forwards *made)
{
    *made = (struct forwards){.children =
                                  arena_array(arena, FORWARD_TARGETS_MAX, sizeof *made->children)};
    bool fine = made->children && str_ends(output, STR("\n"));
    while (fine && output.len > 0) {
        fine = made->count < FORWARD_TARGETS_MAX &&
               read_address(arena, str_split(&output, '\n'), &made->children[made->count]);
        made->count++;
    }
    if (fine) {
        return (struct local_verdict){
            OUTCOME_EXPANDED, {2, 0, 0}, STR("forwarded by the user's .forward")};
    }
    *made = (struct forwards){0};
    return local_deferred((struct status_code){4, 3, 0},
                          STR("the postman's answer could not be understood"));
}
