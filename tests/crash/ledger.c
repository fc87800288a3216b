#include "crash/ledger.h"

#include "crash/trouble.h"

#include <stdio.h>
#include <string.h>

#define MARK "X-Promise: "
#define ENVID "Original-Envelope-Id: "

struct promise *ledger_new(struct ledger *l, size_t size)
{
    if (l->count == PROMISES) {
        return NULL;
    }
    struct promise *p = &l->promises[l->count++];
    *p = (struct promise){.size = size, .counted = l->count};
    return p;
}

/* Lines of any length up to 90, some that begin with dots, all made of the number. */
static void body_add(struct buf *out, unsigned number, size_t size)
{
    for (size_t line = 0; out->len < size; line++) {
        if (line % 7 == 3) {
            buf_add(out, STR("."));
        }
        size_t length = (number * 31 + line * 17) % 90;
        for (size_t i = 0; i < length; i++) {
            buf_add_char(out, (char)('a' + (number + line * i + i / 3) % 26));
        }
        buf_add(out, STR("\r\n"));
    }
}

void ledger_text(struct buf *out, const struct promise *p)
{
    buf_add_format(out, MARK "%u\r\nFrom: <%s>\r\nSubject: number %u\r\n", p->counted, p->sender,
                   p->counted);
    buf_add(out, STR("Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <"));
    buf_add_format(out, "%u@sim.example>\r\n\r\n", p->counted);
    body_add(out, p->counted, p->size);
}

/* Equal but for CRs. */
static bool same_lines(struct str got, struct str want)
{
    size_t i = 0;
    size_t k = 0;
    while (true) {
        while (i < got.len && got.ptr[i] == '\r') {
            i++;
        }
        while (k < want.len && want.ptr[k] == '\r') {
            k++;
        }
        if (i == got.len || k == want.len) {
            return i == got.len && k == want.len;
        }
        if (got.ptr[i++] != want.ptr[k++]) {
            return false;
        }
    }
}

/* The one whose number follows `mark`, with which the text begins. */
static struct promise *promise_at(struct ledger *l, struct str text, const char *mark)
{
    uint64_t number = 0;
    struct str rest = str_tail(text, str_from_cstr(mark).len);
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] >= '0' && rest.ptr[end] <= '9') {
        end++;
    }
    if (!str_to_u64(str_head(rest, end), PROMISES, &number) || number == 0 || number > l->count) {
        return NULL;
    }
    return &l->promises[number - 1];
}

static struct promise_rcpt *rcpt_named(struct promise *p, struct str address)
{
    for (unsigned i = 0; i < p->rcpt_count; i++) {
        if (str_eq_nocase(address, str_from_cstr(p->rcpts[i].address))) {
            return &p->rcpts[i];
        }
    }
    return NULL;
}

static struct str line_at(struct str text, size_t at)
{
    struct str rest = str_tail(text, at);
    size_t end = str_find(rest, '\n');
    rest = str_head(rest, end == STR_NONE ? rest.len : end);
    return rest.len > 0 && rest.ptr[rest.len - 1] == '\r' ? str_head(rest, rest.len - 1) : rest;
}

/* A report: about which message, and which recipients failed. */
static void judge_report(struct ledger *l, const char *to, struct str message, struct str original)
{
    static const struct str final = STR_INIT("Final-Recipient: rfc822;");
    struct promise *p = promise_at(l, original, ENVID);
    if (!p || !p->offered) {
        trouble("a report to %s tells of a message that was never offered", to);
    }
    if (p->sender[0] == '\0') {
        trouble("message %u has no sender, and yet a report came to %s", p->counted, to);
    }
    if (strcmp(p->sender, to) != 0) {
        trouble("a report on message %u came to %s and not to %s", p->counted, to, p->sender);
    }
    l->reports += !l->only_looking;
    size_t about = 0;
    while ((about = str_find_str(message, final)) != STR_NONE) {
        message = str_tail(message, about + final.len);
        struct str line = line_at(message, 0);
        struct str address = str_starts(line, STR(" ")) ? str_tail(line, 1) : line;
        struct promise_rcpt *r = rcpt_named(p, address);
        if (!r) {
            trouble("a report on message %u names %.*s", p->counted, STR_ARG(address));
        }
        size_t action = str_find_str(message, STR("Action: "));
        if (action != STR_NONE && str_starts(str_tail(message, action + 8), STR("failed")) &&
            !l->only_looking) {
            r->reported++;
            if (r->reported > 1 + l->excuses) {
                trouble("message %u to %s was reported %u times, with %u excuses", p->counted,
                        r->address, r->reported, l->excuses);
            }
        }
    }
}

static void judge_message(struct ledger *l, const char *rcpt, struct str text)
{
    struct promise *p = promise_at(l, text, MARK);
    if (!p || !p->offered) {
        trouble("a message came to %s that was never offered", rcpt);
    }
    struct promise_rcpt *r = rcpt_named(p, str_from_cstr(rcpt));
    if (!r || !r->accepted) {
        trouble("message %u came to %s, who was not accepted", p->counted, rcpt);
    }
    struct buf want = {0};
    ledger_text(&want, p);
    if (!same_lines(text, buf_str(&want))) {
        trouble("message %u came to %s changed: %zu octets for %zu", p->counted, rcpt, text.len,
                want.len);
    }
    buf_done(&want);
    if (l->only_looking) {
        return;
    }
    r->arrived++;
    l->arrivals++;
    if (r->arrived > 1 + l->excuses) {
        trouble("message %u came to %s %u times, with %u excuses", p->counted, rcpt, r->arrived,
                l->excuses);
    }
}

void ledger_arrived(struct ledger *l, const char *rcpt, struct str message)
{
    size_t at = str_find_str(message, STR(MARK));
    struct str top = at == STR_NONE ? message : str_head(message, at);
    if (str_find_str(top, STR("report-type=delivery-status")) != STR_NONE) {
        /* It need not hold the message's header: the disk may not have given it. */
        size_t about = str_find_str(message, STR(ENVID));
        if (about == STR_NONE) {
            trouble("a report came to %s that tells of no message", rcpt);
        }
        judge_report(l, rcpt, message, str_tail(message, about));
    } else if (at == STR_NONE) {
        trouble("something came to %s that is no message of ours (%zu octets)", rcpt, message.len);
    } else {
        judge_message(l, rcpt, str_tail(message, at));
    }
}

void ledger_settle(const struct ledger *l)
{
    for (unsigned i = 0; i < l->count; i++) {
        const struct promise *p = &l->promises[i];
        for (unsigned k = 0; k < p->rcpt_count; k++) {
            const struct promise_rcpt *r = &p->rcpts[k];
            bool told = !p->sender_reached || r->lies || r->arrived > 0 || r->reported > 0;
            if (p->acknowledged && r->accepted && !told) {
                trouble("message %u from <%s> to %s was acknowledged and is lost", p->counted,
                        p->sender, r->address);
            }
        }
    }
}
