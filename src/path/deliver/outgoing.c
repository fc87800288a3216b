#include "path/deliver/outgoing.h"

#include "core/mail/convert.h"
#include "path/deliver/signing.h"

#include <errno.h>
#include <stdlib.h>

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

static bool addresses_need_utf8(const struct delivery_job *job)
{
    bool ascii = is_ascii(job->sender);
    for (size_t i = 0; i < job->rcpt_count; i++) {
        ascii = ascii && is_ascii(job->rcpts[i].address);
    }
    return !ascii;
}

/* What this server cannot take as it is. */
static bool lacks_body(const struct outgoing *o)
{
    enum envelope_body body = o->job->envelope->body;
    return (body == BODY_8BITMIME && !peer_has(&o->peer, PEER_8BITMIME)) ||
           (body == BODY_BINARYMIME && !peer_has(&o->peer, PEER_BINARYMIME | PEER_CHUNKING));
}

/* A signature is over lines, and what is binary has none that mean anything. */
static bool is_to_be_lines(const struct outgoing *o)
{
    return o->hashing && o->job->envelope->body == BODY_BINARYMIME;
}

static bool lacks_utf8(const struct outgoing *o)
{
    return o->job->envelope->smtputf8 && !peer_has(&o->peer, PEER_SMTPUTF8);
}

static uint64_t body_size(const struct outgoing *o)
{
    return o->is_converted ? o->converted.len : o->job->body.size;
}

/* The header must end within what was loaded, or it is not known to be ASCII. */
static bool header_is_ascii(const struct outgoing *o)
{
    struct str message = buf_str(&o->loaded);
    size_t end = str_find_str(message, STR("\r\n\r\n"));
    if (end == STR_NONE && message.len < o->job->body.size) {
        return false;
    }
    return is_ascii(str_head(message, end)) && is_ascii(o->job->additions);
}

/* It goes as it is, without signatures, or not at all. */
static void leave(struct outgoing *o, enum client_cause refusal)
{
    o->hashing = false;
    o->refusal = lacks_body(o) ? refusal : CAUSE_REPLY;
}

static void convert(struct outgoing *o)
{
    bool binary = o->job->envelope->body == BODY_BINARYMIME;
    bool eight = peer_has(&o->peer, PEER_8BITMIME);
    enum client_cause refusal = binary ? CAUSE_BINARY : CAUSE_8BIT;
    if (o->loaded.len < o->job->body.size) {
        leave(o, refusal);
        return;
    }
    if (!binary && is_ascii(buf_str(&o->loaded))) {
        o->body = BODY_7BIT;
        return;
    }
    enum convert_result result =
        convert_body(buf_str(&o->loaded), eight ? BODY_8BITMIME : BODY_7BIT, &o->converted);
    if (result == CONVERT_NO_MEMORY) {
        o->error = -ENOMEM;
    } else if (result != CONVERT_OK) {
        leave(o, refusal);
    } else {
        o->is_converted = true;
        o->body = eight ? BODY_8BITMIME : BODY_7BIT;
    }
}

static void judge(struct outgoing *o)
{
    if (o->error == 0 && lacks_utf8(o) && !header_is_ascii(o)) {
        o->refusal = CAUSE_UTF8;
    }
    if (o->error == 0 && o->refusal == CAUSE_REPLY && (lacks_body(o) || is_to_be_lines(o))) {
        convert(o);
    }
    buf_done(&o->loaded);
    o->size = o->top.len + body_size(o);
}

/* What came of it: fields on top, or why there are none. */
static void take_signatures(struct outgoing *o)
{
    struct signing *s = o->signing;
    o->error = s->error;
    o->trouble = s->trouble;
    if (s->top.len > 0) {
        o->top = buf_str(&s->top);
    } else if (s->error == 0) {
        signing_free(s);
        o->signing = NULL;
    }
    o->size = o->top.len + body_size(o);
    outgoing_rewind(o);
}

/* Reads all of it for the signatures, then has them made. False: `ready` follows. */
static bool go_on_signing(struct outgoing *o)
{
    while (o->hashing && o->error == 0 && o->refusal == CAUSE_REPLY) {
        bool wanted = o->piece.len == 0 || signing_take(o->signing, o->piece);
        if (!wanted || o->last) {
            o->hashing = false;
            if (wanted && signing_end(o->signing)) {
                return false;
            }
            take_signatures(o);
        } else if (!outgoing_next(o)) {
            return false;
        }
    }
    return true;
}

static void on_read(struct disk_op *op)
{
    struct outgoing *o = CONTAINER_OF(op, struct outgoing, op);
    o->reading = false;
    o->then(o);
    if (go_on_signing(o)) {
        o->ready(o);
    }
}

static void read_file(struct outgoing *o, uint64_t offset, struct str into,
                      void (*then)(struct outgoing *o))
{
    struct disk *disk = o->office->ports->disk;
    o->op = (struct disk_op){.done = on_read};
    o->then = then;
    o->reading = true;
    disk->read(disk, &o->op, o->job->body.file, o->job->body.offset + offset, into);
}

static void loaded(struct outgoing *o)
{
    if (o->op.result < 0) {
        o->error = (int)o->op.result;
    } else {
        o->loaded.len = (size_t)o->op.result;
    }
    judge(o);
}

static void on_signed(struct signing *s)
{
    struct outgoing *o = s->owner;
    take_signatures(o);
    o->ready(o);
}

/* Another server may get another form: nothing is left of the last one's signatures. */
static void begin_signing(struct outgoing *o)
{
    signing_free(o->signing);
    o->signing = NULL;
    o->hashing = false;
    o->top = o->job->additions;
    o->trouble = (struct str){0};
    if (!o->signs || !signing_wanted(o->office->ports, o->job)) {
        return;
    }
    o->signing = signing_new(o->office->ports, o->job);
    o->hashing = o->signing != NULL;
    if (!o->signing) {
        o->error = -ENOMEM;
        o->trouble = STR("this server has no memory left");
        return;
    }
    o->signing->done = on_signed;
    o->signing->owner = o;
}

bool outgoing_prepare(struct outgoing *o, const struct smtp_peer *peer)
{
    const struct envelope *envelope = o->job->envelope;
    bool utf8 = envelope->smtputf8 || addresses_need_utf8(o->job);
    o->peer = *peer;
    o->refusal = CAUSE_REPLY;
    o->error = 0;
    o->is_converted = false;
    buf_done(&o->converted);
    o->body = envelope->body;
    o->smtputf8 = utf8 && peer_has(peer, PEER_SMTPUTF8);
    begin_signing(o);
    outgoing_rewind(o);
    uint64_t wanted = 0;
    bool converts = lacks_body(o) || is_to_be_lines(o);
    if (converts && o->job->body.size <= OUTGOING_CONVERT_MAX) {
        wanted = o->job->body.size;
    } else if (lacks_utf8(o)) {
        wanted = o->job->body.size < OUTGOING_HEADER_MAX ? o->job->body.size : OUTGOING_HEADER_MAX;
    }
    if (wanted > 0 && !buf_reserve(&o->loaded, (size_t)wanted)) {
        buf_done(&o->loaded);
        o->error = -ENOMEM;
        return true;
    }
    if (wanted > 0) {
        read_file(o, 0, str_from(o->loaded.ptr, (size_t)wanted), loaded);
        return false;
    }
    judge(o);
    return go_on_signing(o);
}

void outgoing_rewind(struct outgoing *o)
{
    o->position = 0;
    o->last = false;
    o->piece = (struct str){0};
}

/* A piece of `source`, of which `done` octets have gone. */
static void cut_piece(struct outgoing *o, struct str source, uint64_t done)
{
    o->piece = str_head(str_tail(source, (size_t)done), OUTGOING_PIECE);
    o->position += o->piece.len;
    o->last = o->position == o->size;
}

static void got_block(struct outgoing *o)
{
    if (o->op.result <= 0) {
        o->error = o->op.result < 0 ? (int)o->op.result : -EIO;
        return;
    }
    o->piece = str_from(o->block, (size_t)o->op.result);
    o->position += o->piece.len;
    o->last = o->position == o->size;
}

bool outgoing_next(struct outgoing *o)
{
    size_t on_top = o->top.len;
    if (o->position < on_top) {
        cut_piece(o, o->top, o->position);
        return true;
    }
    uint64_t done = o->position - on_top;
    if (o->is_converted || done == o->job->body.size) {
        cut_piece(o, buf_str(&o->converted), done);
        return true;
    }
    if (o->job->body.bytes) {
        cut_piece(o, str_from(o->job->body.bytes, (size_t)o->job->body.size), done);
        return true;
    }
    if (!o->block && !(o->block = malloc(OUTGOING_PIECE))) {
        o->error = -ENOMEM;
        return true;
    }
    uint64_t left = o->job->body.size - done;
    read_file(o, done, str_from(o->block, left < OUTGOING_PIECE ? (size_t)left : OUTGOING_PIECE),
              got_block);
    return false;
}

void outgoing_done(struct outgoing *o)
{
    signing_free(o->signing);
    o->signing = NULL;
    buf_done(&o->loaded);
    buf_done(&o->converted);
    free(o->block);
    o->block = NULL;
}
