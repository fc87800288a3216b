/* Properties: every line is read or refused by a fixed reply; every slice of what was read lies in
 * the line; help is always to be had. */
#include "core/smtp/command.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct str part, struct str line)
{
    if (part.len > 0 && (part.ptr < line.ptr || part.ptr + part.len > line.ptr + line.len)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str line = str_from((const char *)data, size);
    struct command c;
    enum answer answer = command_parse(line, &c);
    if (answer >= ANSWER_COUNT || smtp_answer(answer)->code == 0) {
        abort();
    }
    within(c.argument, line);
    if (answer == ANSWER_OK && (c.verb == VERB_MAIL || c.verb == VERB_RCPT)) {
        struct arena arena = {0};
        within(c.mail.envid, line);
        within(c.rcpt.orcpt_address, line);
        if (!param_envid(&c.mail, &arena).ptr || !param_orcpt(&c.rcpt, &arena).ptr) {
            abort();
        }
        arena_done(&arena);
    }
    struct buf help = {0};
    (void)command_help(&help, c.argument);
    buf_done(&help);
    for (unsigned state = STATE_START; state <= STATE_BDAT; state *= 2) {
        if (smtp_answer(command_allowed(c.verb, (enum command_state)state))->code == 0) {
            abort();
        }
    }
    return 0;
}
