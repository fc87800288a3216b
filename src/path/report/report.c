#include "path/report/report.h"

#include "core/base/encode.h"
#include "core/mail/date.h"
#include "path/report/report_inside.h"

#include <errno.h>
#include <stdlib.h>

static void end(struct making *m, int result)
{
    struct queue_report *ask = m->ask;
    ask->result = result;
    ask->id = result == 0 ? m->id : (struct queue_id){0};
    buf_done(&m->original);
    buf_done(&m->boundary);
    buf_done(&m->text);
    buf_done(&m->envelope);
    free(m);
    ask->done(ask);
}

static void stored(struct spool_put *op)
{
    struct making *m = CONTAINER_OF(op, struct making, put);
    if (op->result == 0) {
        m->office->committed(m->office->owner, &m->sealed);
    }
    end(m, op->result);
}

static void store(struct making *m)
{
    m->rcpt = (struct envelope_rcpt){.address = m->to, .notify = NOTIFY_NEVER};
    m->sealed = (struct envelope){
        .id = m->id,
        .body = m->eight_bit ? BODY_8BITMIME : BODY_7BIT,
        .smtputf8 = m->global,
        .require_tls = m->ask->envelope->require_tls,
        .priority = m->ask->envelope->priority,
        .is_report = true,
        .body_size = m->text.len,
        .arrived = m->now,
        .protocol = STR("local"),
        .rcpts = &m->rcpt,
        .rcpt_count = 1,
    };
    envelope_encode(&m->envelope, &m->sealed);
    if (m->envelope.failed || m->text.failed) {
        end(m, -ENOMEM);
        return;
    }
    m->piece = buf_str(&m->text);
    m->put = (struct spool_put){
        .done = stored,
        .id = m->id,
        .envelope = buf_str(&m->envelope),
        .body = {&m->piece, 1},
        .body_size = m->text.len,
        .reserve = true,
    };
    spool_put(m->office->spool, &m->put);
}

static void add_header(struct making *m)
{
    struct buf *out = &m->text;
    struct queue_id_text id = queue_id_text(m->id);
    struct str host = m->ask->config->hostname;
    buf_add(out, STR("Date: "));
    date_format(out, m->now);
    buf_add_format(out, "\r\nFrom: Mail server <MAILER-DAEMON@%.*s>\r\n", STR_ARG(host));
    buf_add_format(out, "To: <%.*s>\r\n", STR_ARG(m->to));
    buf_add_format(out, "Subject: %s\r\n", report_subject(m));
    buf_add_format(out, "Message-ID: <%s@%.*s>\r\n", id.chars, STR_ARG(host));
    buf_add(out, STR("Auto-Submitted: auto-replied\r\n"
                     "MIME-Version: 1.0\r\n"
                     "Content-Type: multipart/report; report-type=delivery-status;\r\n"
                     "\tboundary=\""));
    buf_add(out, buf_str(&m->boundary));
    buf_add(out, STR("\"\r\n"));
    if (m->eight_bit) {
        buf_add(out, STR("Content-Transfer-Encoding: 8bit\r\n"));
    }
    buf_add(out, STR("\r\nThis is a report about a message, in parts as MIME has them.\r\n"));
}

static void begin_part(struct making *m, const char *type, const char *description, bool eight_bit)
{
    buf_add(&m->text, STR("\r\n--"));
    buf_add(&m->text, buf_str(&m->boundary));
    buf_add_format(&m->text, "\r\nContent-Type: %s\r\nContent-Description: %s\r\n%s\r\n", type,
                   description, eight_bit ? "Content-Transfer-Encoding: 8bit\r\n" : "");
}

static const char *type_of_return(const struct making *m)
{
    if (m->whole) {
        return m->global ? "message/global" : "message/rfc822";
    }
    return m->global ? "message/global-headers" : "text/rfc822-headers";
}

static void compose(struct making *m)
{
    struct buf words = {0};
    struct buf fields = {0};
    report_words(m, &words);
    report_fields(m, &fields);
    bool words_8 = !text_is_ascii(buf_str(&words));
    bool fields_8 = !text_is_ascii(buf_str(&fields));
    bool original_8 = !text_is_ascii(buf_str(&m->original));
    m->eight_bit = words_8 || fields_8 || original_8 || !text_is_ascii(m->to);
    add_header(m);
    begin_part(m, words_8 ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii",
               "What happened", words_8);
    buf_add(&m->text, buf_str(&words));
    begin_part(m, m->global ? "message/global-delivery-status" : "message/delivery-status",
               "The same for programs", fields_8);
    buf_add(&m->text, buf_str(&fields));
    begin_part(m, type_of_return(m), m->whole ? "The message" : "The header of the message",
               original_8);
    buf_add(&m->text, buf_str(&m->original));
    buf_add(&m->text, STR("\r\n--"));
    buf_add(&m->text, buf_str(&m->boundary));
    buf_add(&m->text, STR("--\r\n"));
    m->text.failed |= words.failed || fields.failed || m->original.failed || m->boundary.failed;
    buf_done(&words);
    buf_done(&fields);
    store(m);
}

/* Ends with the header's last line, whose CRLF is kept; what has no end is cut after a line. */
static void cut_after_header(struct buf *original)
{
    struct str all = buf_str(original);
    size_t end_at = str_find_str(all, STR("\r\n\r\n"));
    if (str_starts(all, STR("\r\n"))) {
        original->len = 0;
    } else if (end_at != STR_NONE) {
        original->len = end_at + 2;
    } else {
        size_t last = str_rfind(all, '\n');
        original->len = last == STR_NONE ? 0 : last + 1;
    }
}

static bool rcpts_are_ascii(const struct queue_report *ask)
{
    for (size_t i = 0; i < ask->rcpt_count; i++) {
        const struct report_rcpt *r = &ask->rcpts[i];
        if (!text_is_ascii(r->address) || !text_is_ascii(r->final_address) ||
            !text_is_ascii(r->orcpt)) {
            return false;
        }
    }
    return true;
}

static void body_read(struct disk_op *op)
{
    struct making *m = CONTAINER_OF(op, struct making, op);
    if (op->result < 0) {
        m->whole = false; /* a report that returns little is better than none */
    } else {
        m->original.len += (size_t)op->result;
    }
    if (!m->whole) {
        cut_after_header(&m->original);
    }
    compose(m);
}

static void read_body(struct making *m)
{
    const struct spool_body *body = &m->ask->body;
    struct disk *disk = m->office->ports->disk;
    uint64_t size = body->size;
    if (!m->whole && size > REPORT_HEADER_MAX) {
        size = REPORT_HEADER_MAX;
    }
    buf_add(&m->original, m->ask->additions);
    if (!buf_reserve(&m->original, (size_t)size + 1)) {
        end(m, -ENOMEM);
        return;
    }
    m->op = (struct disk_op){.done = body_read};
    disk->read(disk, &m->op, body->file, body->offset,
               str_from(m->original.ptr + m->original.len, (size_t)size));
}

static void begin(struct making *m)
{
    struct report_office *office = m->office;
    struct queue_report *ask = m->ask;
    struct entropy *entropy = office->ports->entropy;
    uint64_t size = ask->additions.len + ask->body.size;
    m->now = office->ports->clock->wall(office->ports->clock);
    m->id = queue_id_make(office->ids, m->now);
    m->global = ask->envelope->smtputf8 || !text_is_ascii(m->to) || !rcpts_are_ascii(ask);
    m->whole = ask->kind == REPORT_FAILURE && ask->envelope->ret != RET_HDRS &&
               !ask->envelope->require_tls && ask->envelope->body != BODY_BINARYMIME &&
               size <= REPORT_RETURN_MAX;
    /* The sender of the message cannot have put this into it. */
    uint64_t random[2] = {entropy->u64(entropy), entropy->u64(entropy)};
    buf_add(&m->boundary, STR("report="));
    hex_encode(&m->boundary, str_from((const char *)random, sizeof random));
    read_body(m);
}

static void begin_soon(struct parcel *parcel)
{
    struct making *m = CONTAINER_OF(parcel, struct making, parcel);
    if (m->to.len == 0) {
        end(m, 0); /* there is nobody to tell */
    } else {
        begin(m);
    }
}

void report_make(struct report_office *office, struct queue_report *ask)
{
    struct making *m = calloc(1, sizeof *m);
    if (!m) {
        ask->result = -ENOMEM;
        ask->done(ask);
        return;
    }
    m->office = office;
    m->ask = ask;
    m->to = ask->envelope->reverse_path;
    if (m->to.len == 0 || ask->envelope->is_report) {
        m->double_bounce = true;
        m->to =
            ask->kind == REPORT_FAILURE ? ask->config->queue.bounce_postmaster : (struct str){0};
    }
    m->parcel.open = begin_soon;
    office->ports->inbox->post(office->ports->inbox, &m->parcel);
}
