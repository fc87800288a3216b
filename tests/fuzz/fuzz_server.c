/* Properties: any bytes, cut anywhere, give the same events, octets of accepted messages and
 * replies; an accepted text message has no bare CR or LF. The first octet chooses options, the
 * second the cut. */
#include "core/smtp/server.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct talk {
    struct smtp_server server;
    struct buf out, told, body;
};

static void must(bool fine)
{
    if (!fine) {
        abort();
    }
}

static void on_event(struct talk *t, enum server_event_kind kind, const struct server_event *event)
{
    if (kind == SERVER_BODY) {
        buf_add(&t->body, event->body);
        return;
    }
    buf_add_char(&t->told, (char)('a' + (int)kind));
    if (kind == SERVER_END) {
        /* Only what is taken must be the same: of a refused message the cut decides how much came.
         */
        buf_add(&t->told, buf_str(&t->body));
        must(t->server.data.size == t->body.len);
    }
    if (kind == SERVER_END || kind == SERVER_ABORT) {
        buf_clear(&t->body);
    }
    if (kind == SERVER_AUTH) {
        struct smtp_reply challenge = {.code = 334, .text = STR("")};
        smtp_server_reply(&t->server, &challenge);
    }
    while (smtp_server_is_asking(&t->server)) {
        smtp_server_accept(&t->server);
    }
}

static void run(struct talk *t, const struct smtp_server_options *options, struct str in,
                size_t step)
{
    *t = (struct talk){0};
    smtp_server_init(&t->server, options, &t->out, options->rcpt_max == 2);
    enum server_event_kind kind = SERVER_MORE;
    while (in.len > 0 && kind != SERVER_CLOSE && kind != SERVER_QUIT) {
        struct str part = str_head(in, step);
        in = str_tail(in, part.len);
        struct command command;
        struct server_event event;
        while ((kind = smtp_server_next(&t->server, &part, &command, &event)) > SERVER_WAIT) {
            on_event(t, kind, &event);
            if (kind == SERVER_CLOSE || kind == SERVER_QUIT) {
                break;
            }
        }
        must(kind != SERVER_WAIT && (kind != SERVER_MORE || part.len == 0));
    }
}

static void end(struct talk *t)
{
    smtp_server_done(&t->server);
    buf_done(&t->out);
    buf_done(&t->told);
    buf_done(&t->body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct smtp_server_options options = {.hostname = STR("mx.example"),
                                          .message_max = (data[0] & 1) != 0 ? 50 : 0,
                                          .rcpt_max = (data[0] & 2) != 0 ? 2 : 100,
                                          .mechanisms = (data[0] & 64) != 0 ? STR(" X") : STR(""),
                                          .error_max = 10,
                                          .take_unqualified = (data[0] & 16) != 0,
                                          .normalise = (data[0] & 4) != 0,
                                          .refuse_long_lines = (data[0] & 8) != 0};
    struct str in = str_from((const char *)data + 2, size - 2);
    struct talk whole;
    struct talk cut;
    run(&whole, &options, in, in.len);
    run(&cut, &options, in, (size_t)data[1] % 32 + 1);
    must(str_eq(buf_str(&whole.told), buf_str(&cut.told)));
    must(str_eq(buf_str(&whole.out), buf_str(&cut.out)));
    end(&whole);
    end(&cut);
    return 0;
}
