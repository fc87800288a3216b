/* One report to one place: a mail of ours, or a POST. */
#include "tlsrpt/reporter_inside.h"

#include <string.h>

enum { PIECE = 32 << 10, ANSWER_MAX = 64 << 10 };

static void committed(void *owner, int result)
{
    struct reporter *r = owner;
    r->draft = NULL;
    r->committing = false;
    if (!r->stopped) {
        reporter_place_done(r, result == 0, result == 0 ? "by mail" : strerror(-result));
    }
}

static void commit(struct reporter *r)
{
    struct str to = r->record.places[r->place].uri;
    r->rcpt = (struct envelope_rcpt){.address = to};
    r->envelope = (struct envelope){.id = queue_id_make(r->ids, r->frame.end),
                                    .reverse_path = r->from,
                                    .is_report = true,
                                    .tls_optional = true,
                                    .submitted = true,
                                    .body_size = draft_size(r->draft),
                                    .arrived = r->ports->clock->wall(r->ports->clock),
                                    .protocol = STR("local"),
                                    .rcpts = &r->rcpt,
                                    .rcpt_count = 1};
    r->envelope.id = queue_id_make(r->ids, r->envelope.arrived);
    struct draft *draft = r->draft;
    r->committing = true;
    draft_commit(draft,
                 &(struct draft_commit){.envelope = &r->envelope, .done = committed, .owner = r});
}

static void add_more(void *owner)
{
    struct reporter *r = owner;
    while (r->written < r->mail.len) {
        struct str piece = str_head(str_tail(buf_str(&r->mail), r->written), PIECE);
        r->written += piece.len;
        if (!draft_add(r->draft, piece, add_more, r) && r->written < r->mail.len) {
            return; /* until it calls again */
        }
    }
    commit(r);
}

static void send_mail(struct reporter *r, struct str to)
{
    buf_clear(&r->mail);
    tlsrpt_write_mail(&r->mail, r->taken, &r->frame, to, buf_str(&r->compressed));
    r->written = 0;
    r->draft = r->mail.failed ? NULL : draft_new(r->drafts);
    if (r->draft) {
        add_more(r);
    } else {
        reporter_place_done(r, false, "no memory");
    }
}

static void on_answer(struct https_request *request)
{
    struct reporter *r = CONTAINER_OF(request, struct reporter, request);
    bool good = request->result == HTTPS_ANSWERED && request->status / 100 == 2;
    struct str why = arena_copy(&r->work, buf_str(&request->reason));
    buf_done(&request->answer);
    buf_done(&request->reason);
    r->asking = false;
    reporter_place_done(r, good, good ? "by HTTPS" : why.ptr ? why.ptr : "no memory");
}

static void on_addresses(struct addresses_query *query)
{
    struct reporter *r = query->owner;
    struct str uri = r->record.places[r->place].uri;
    struct str host = str_split(&uri, '/');
    r->request = (struct https_request){
        .done = on_answer,
        .host = host,
        .ips = query->ips,
        .ip_count = query->ip_count,
        .port = r->https_port,
        .path = arena_format(&r->work, "/%.*s", STR_ARG(uri)),
        .body = buf_str(&r->compressed),
        .content_type = STR("application/tlsrpt+gzip"),
        .limit = ANSWER_MAX,
        .time = SPAN_S(60),
    };
    if (query->ip_count == 0 || !r->ports->https ||
        !r->ports->https->ask(r->ports->https, &r->request)) {
        r->asking = false;
        reporter_place_done(r, false, "the web server is not known");
    }
}

/* The port is 443, or as configured: a report goes to no other service of the host. */
static void send_post(struct reporter *r, struct str uri)
{
    struct str host = str_split(&uri, '/');
    r->asking = true;
    r->request = (struct https_request){0};
    r->addresses = (struct addresses_query){
        .done = on_addresses, .ports = r->ports, .arena = &r->work, .host = host, .owner = r};
    addresses_start(&r->addresses);
}

void reporter_send(struct reporter *r)
{
    const struct tlsrpt_place *place = &r->record.places[r->place];
    if (place->https) {
        send_post(r, place->uri);
    } else {
        send_mail(r, place->uri);
    }
}

void reporter_send_cancel(struct reporter *r)
{
    if (r->asking) {
        addresses_cancel(&r->addresses);
        if (r->ports->https) {
            r->ports->https->cancel(r->ports->https, &r->request);
        }
        r->asking = false;
    }
    if (!r->committing) {
        draft_free(r->draft);
        r->draft = NULL;
    }
}
