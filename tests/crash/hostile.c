#include "crash/hostile.h"

#include "crash/trouble.h"

#include <stdlib.h>

/* Times are a fiftieth of the real ones, as the limits of those who come are: a minute is 1.2 s. */
enum {
    DRIP_US = 1200000,
    FLOOD_US = 10000,
    FLOOD_PIECE = 16 * 1024,
    FLOOD_MOST = 512 * 1024,
    VISIT_MOST_S = 90,
    LINES = 1000,
    UNSENT_MOST = 128 * 1024, /* of its own */
};

enum malice {
    MALICE_FLOOD,      /* a greeting without an end */
    MALICE_DRIP,       /* a reply an octet a minute, and each line is followed by another */
    MALICE_SILENT,     /* it takes the connection, and no more */
    MALICE_LINES,      /* replies of a thousand lines */
    MALICE_BEFORE,     /* replies to what was not asked yet, in any order */
    MALICE_GARBAGE,    /* bytes at random */
    MALICE_CLOSE,      /* a good reply to all, and closes at any time */
    MALICE_NO_GOODBYE, /* as if it were good, but QUIT is not answered and nothing closed */
    MALICES
};

struct visit {
    struct hostile *hostile;
    struct stream *stream;
    enum malice malice;
    struct timer next, limit;
    struct buf in;
    size_t sent;
    bool in_data;
};

static void leave(struct visit *v)
{
    struct timers *timers = &v->hostile->loop.timers;
    timers->cancel(timers, &v->next);
    timers->cancel(timers, &v->limit);
    stream_abort(v->stream);
    buf_done(&v->in);
    free(v);
}

static void say(struct visit *v, struct str text)
{
    v->sent += text.len;
    stream_write(v->stream, text);
}

static void again(struct visit *v, int64_t after_us)
{
    struct timers *timers = &v->hostile->loop.timers;
    timers->arm(timers, &v->next, (struct span){after_us});
}

static void flood(struct visit *v)
{
    static char text[FLOOD_PIECE];
    if (v->sent > FLOOD_MOST) {
        trouble("a greeting of over %d octets is listened to", FLOOD_MOST);
    }
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = "220-x"[i % 5];
    }
    if (stream_unsent(v->stream) == 0 && sim_stream_held(v->stream)) {
        say(v, str_from(text, sizeof text));
    }
    again(v, FLOOD_US);
}

static void go_on(struct timer *timer)
{
    static const char drip[] = "220-so it goes on and on\r\n";
    struct visit *v = CONTAINER_OF(timer, struct visit, next);
    if (v->malice == MALICE_FLOOD) {
        flood(v);
    } else {
        say(v, str_from(&drip[v->sent % (sizeof drip - 1)], 1));
        again(v, DRIP_US);
    }
}

static void stayed(struct timer *timer)
{
    struct visit *v = CONTAINER_OF(timer, struct visit, limit);
    if (!sim_stream_held(v->stream)) {
        leave(v); /* it was not told of the end */
        return;
    }
    trouble("a hostile server (malice %d) holds a connection for over %d s", (int)v->malice,
            VISIT_MOST_S);
}

/* Replies as they should be, but for their length. */
static void many_lines(struct visit *v, struct str line)
{
    if (v->in_data && !str_eq(line, STR("."))) {
        return;
    }
    v->in_data = str_starts(line, STR("DATA"));
    if (v->in_data) {
        say(v, STR("354 go on\r\n"));
        return;
    }
    for (unsigned i = 0; i < LINES && stream_unsent(v->stream) < UNSENT_MOST; i++) {
        say(v, STR("250-and one more line of an endless reply\r\n"));
    }
    say(v, STR("250 at last\r\n"));
}

static void any_replies(struct visit *v)
{
    static const char *const replies[] = {"220 hello\r\n", "250 fine\r\n", "354 go on\r\n",
                                          "221 bye\r\n", "250-more\r\n"};
    for (uint64_t n = 1 + sim_below(v->hostile->world, 6); n > 0; n--) {
        uint64_t which = sim_below(v->hostile->world, ARRAY_LEN(replies));
        say(v, str_from_cstr(replies[which]));
    }
}

static void garbage(struct visit *v)
{
    char bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)sim_draw(v->hostile->world);
    }
    say(v, str_from(bytes, 1 + sim_below(v->hostile->world, sizeof bytes)));
}

/* As a good server answers; but for what would take a message, unless it says yes to all. */
static void politely(struct visit *v, struct str line)
{
    if (v->in_data) {
        if (!str_eq(line, STR("."))) {
            return;
        }
        v->in_data = false;
        say(v, v->hostile->says_yes ? STR("250 2.0.0 taken\r\n") : STR("554 5.7.1 no\r\n"));
    } else if (str_starts(line, STR("DATA"))) {
        v->in_data = true;
        say(v, STR("354 go on\r\n"));
    } else if (!str_starts(line, STR("QUIT"))) {
        say(v, STR("250 2.0.0 fine\r\n"));
    }
}

/* False: the visit is over. */
static bool on_line(struct visit *v, struct str line)
{
    switch (v->malice) {
    case MALICE_LINES:
        many_lines(v, line);
        return true;
    case MALICE_BEFORE:
        any_replies(v);
        return true;
    case MALICE_GARBAGE:
        garbage(v);
        return true;
    case MALICE_CLOSE:
    case MALICE_NO_GOODBYE:
        politely(v, line);
        if (v->malice == MALICE_CLOSE && sim_once_in(v->hostile->world, 4)) {
            leave(v);
            return false;
        }
        return true;
    case MALICE_FLOOD:
    case MALICE_DRIP:
    case MALICE_SILENT:
    case MALICES:
        return true;
    }
    return true;
}

static void data(struct stream *stream, struct str bytes)
{
    struct visit *v = stream->owner;
    buf_add(&v->in, bytes);
    size_t end;
    while ((end = str_find_str(buf_str(&v->in), STR("\r\n"))) != STR_NONE) {
        if (!on_line(v, str_head(buf_str(&v->in), end))) {
            return;
        }
        buf_drop(&v->in, end + 2);
    }
}

static void ended(struct stream *stream, int error)
{
    (void)error;
    leave(stream->owner);
}

static void greet(struct visit *v)
{
    switch (v->malice) {
    case MALICE_FLOOD:
    case MALICE_DRIP:
        again(v, 0);
        break;
    case MALICE_BEFORE:
        any_replies(v);
        break;
    case MALICE_GARBAGE:
        garbage(v);
        break;
    case MALICE_SILENT:
    case MALICES:
        break;
    case MALICE_LINES:
    case MALICE_CLOSE:
    case MALICE_NO_GOODBYE:
        say(v, STR("220 hostile.example ESMTP\r\n"));
        break;
    }
}

static void accepted(struct net_listener *listener, struct stream *stream)
{
    static const struct stream_events events = {data, ended, NULL};
    struct hostile *h = listener->owner;
    struct visit *v = calloc(1, sizeof *v);
    if (!v) {
        abort();
    }
    do {
        v->malice = (enum malice)sim_below(h->world, MALICES);
    } while (v->malice == MALICE_BEFORE && !h->says_yes); /* it might say yes by chance */
    v->hostile = h;
    v->stream = stream;
    v->next.fire = go_on;
    v->limit.fire = stayed;
    stream->owner = v;
    stream->events = &events;
    h->visits++;
    h->loop.timers.arm(&h->loop.timers, &v->limit, SPAN_S(VISIT_MOST_S));
    greet(v);
    stream_resume(stream);
}

void hostile_init(struct hostile *h, struct sim_world *w, struct sim_wire *wire, const char *ip)
{
    h->world = w;
    sim_loop_init(&h->loop, w);
    sim_host_init(&h->host, wire, ip, "");
    h->listener = (struct net_listener){.accepted = accepted, .owner = h, .at = {h->host.ip4, 25}};
    if (h->host.net.listen(&h->host.net, &h->listener) != 0) {
        abort();
    }
}
