/* Properties: a time until which to hold is the same, to the second, when it is printed and read
 * again; a message is held by one of HOLDFOR and HOLDUNTIL; a priority and a time to deliver by are
 * within their bounds; every
 * line is read or refused by a fixed reply; every slice of what was read lies in
 * the line; help is always to be had. */
#include "core/mail/date.h"
#include "core/smtp/command.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct str part, struct str line)
{
    if (part.len > 0 && (part.ptr < line.ptr || part.ptr + part.len > line.ptr + line.len)) {
        abort();
    }
}

static void check_wishes(const struct mail_params *p)
{
    struct buf text = {0};
    struct instant again = {0};
    date_format_internet(&text, p->hold_until);
    if (p->hold_until.us > 0 && p->hold_until.us < INT64_C(253402300800000000) &&
        (!date_parse_internet(buf_str(&text), &again) || again.us != p->hold_until.us)) {
        abort();
    }
    buf_done(&text);
    if (p->priority < PRIORITY_MIN || p->priority > PRIORITY_MAX || p->hold_for.us < 0 ||
        (p->hold_for.us != 0 && p->hold_until.us != 0)) {
        abort();
    }
    if (p->by.seconds > BY_SECONDS_MAX || p->by.seconds < -BY_SECONDS_MAX ||
        (p->by.mode == BY_RETURN && p->by.seconds <= 0) || (p->by.mode == BY_NONE && p->by.trace)) {
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
        check_wishes(&c.mail);
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
