/* A length, then a message: as it leaves (data_encode.h), it is signed or found unfit, whatever the
 * pieces it comes in; and what is signed verifies: the verifier hashes the same body and the same
 * header. "SHA-256" and the "key" are sums here. */
#include "core/dns/build.h"
#include "core/mailauth/dkim.h"
#include "core/mailauth/sign.h"
#include "core/smtp/data_encode.h"

#include <stdlib.h>
#include <string.h>

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Depends on every octet and its place. */
static void mix(uint8_t hash[SIGNATURE_HASH_SIZE], size_t *at, struct str octets)
{
    for (size_t i = 0; i < octets.len; i++, (*at)++) {
        size_t place = *at % SIGNATURE_HASH_SIZE;
        hash[place] = (uint8_t)(hash[place] * 31 + octets.ptr[i] + 1);
    }
}

static struct buf as_it_leaves(struct str message)
{
    struct data_encoder encoder = data_encoder_begin(false);
    struct buf out = {0};
    data_encode(&encoder, message, &out);
    data_encode_end(&encoder, &out);
    must(!out.failed);
    return out;
}

struct made {
    struct arena arena;
    struct sign sign;
    uint8_t body[SIGNATURE_HASH_SIZE];
    uint8_t header[SIGNATURE_HASH_SIZE];
    struct buf field;
};

static void feed(struct made *m, struct str message, size_t piece)
{
    char out[64];
    size_t at = 0;
    sign_begin(&m->sign, &m->arena);
    while (message.len > 0) {
        struct str in = str_head(message, piece);
        message = str_tail(message, piece);
        while (in.len > 0) {
            size_t n = sign_take(&m->sign, &in, out, sizeof out);
            mix(m->body, &at, str_from(out, n));
        }
    }
    for (size_t n; (n = sign_end(&m->sign, out, sizeof out)) > 0;) {
        mix(m->body, &at, str_from(out, n));
    }
    must(m->sign.state != SIGN_IN_HEADER && !m->sign.failed);
}

static bool make(struct made *m, struct str message, size_t piece)
{
    struct sign_terms terms = {.domain = STR("example.org"),
                               .selector = STR("s"),
                               .algorithm = ALGORITHM_ED25519_SHA256,
                               .time = 1000,
                               .end = 2000};
    struct buf input = {0};
    size_t at = 0;
    *m = (struct made){.arena = {0}};
    feed(m, message, piece);
    terms.body_hash = str_from((const char *)m->body, sizeof m->body);
    bool made = m->sign.state == SIGN_IN_BODY && sign_field(&m->sign, &terms, &m->field, &input);
    if (made) {
        mix(m->header, &at, buf_str(&input));
        sign_seal(&m->field, str_from((const char *)m->header, sizeof m->header));
        must(!m->field.failed && !input.failed);
    }
    buf_done(&input);
    return made;
}

static void made_done(struct made *m)
{
    sign_done(&m->sign);
    buf_done(&m->field);
    arena_done(&m->arena);
}

static void answer_key(struct dkim *d)
{
    static const struct str record =
        STR_INIT("v=DKIM1; k=ed25519; p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    for (struct dns_question question; dkim_question(d, &question);) {
        struct dns_build b;
        struct dns_name name;
        must(dns_name_parse(question.name, &name));
        dns_build_start(&b, &name, DNS_TXT, DNS_NOERROR);
        dns_build_text(&b, &name, record);
        dkim_answer(d, question.id, &(struct dns_answer){.message = buf_str(&b.out)});
        buf_done(&b.out);
    }
}

static void hash_bodies(struct dkim *d, struct str body)
{
    for (size_t i = 0; i < d->body_count; i++) {
        uint8_t hash[SIGNATURE_HASH_SIZE] = {0};
        struct canon_body canon = d->bodies[i].canon;
        struct str rest = body;
        char out[64];
        size_t at = 0;
        while (rest.len > 0) {
            size_t n = canon_body_take(&canon, &rest, out, sizeof out);
            mix(hash, &at, str_from(out, n));
        }
        for (size_t n; (n = canon_body_end(&canon, out, sizeof out)) > 0;) {
            mix(hash, &at, str_from(out, n));
        }
        dkim_body(d, i, hash, canon.length);
    }
}

/* The topmost signature, ours, is the last that is looked at. */
static void must_verify(struct str message)
{
    struct arena arena = {0};
    struct dkim d;
    struct header_iter it = header_begin(message);
    for (struct header_field field; header_next(&it, &field);) {}
    must(dkim_start(&d, &arena, message, 1000));
    answer_key(&d);
    hash_bodies(&d, header_body(&it));
    for (struct dkim_work work; dkim_work(&d, &work);) {
        uint8_t hash[SIGNATURE_HASH_SIZE] = {0};
        size_t at = 0;
        mix(hash, &at, buf_str(&work.input));
        buf_done(&work.input);
        bool good = str_eq(work.signature, str_from((const char *)hash, sizeof hash));
        dkim_worked(&d, work.check, good ? DKIM_GOOD : DKIM_BAD);
    }
    const struct dkim_check *ours = dkim_at(&d, 0);
    must(ours && ours->result == DKIM_PASS);
    arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    struct str raw = str_from((const char *)data + 1, size < 40000 ? size - 1 : 40000);
    struct buf message = as_it_leaves(raw);
    struct made whole, pieces;
    bool made = make(&whole, buf_str(&message), message.len + 1);
    must(make(&pieces, buf_str(&message), 1 + data[0] % 7U) == made);
    must(str_eq(buf_str(&whole.field), buf_str(&pieces.field)));
    if (made) {
        struct buf sent = {0};
        buf_join(&sent, buf_str(&whole.field), buf_str(&message));
        must(!sent.failed);
        must_verify(buf_str(&sent));
        buf_done(&sent);
    }
    made_done(&whole);
    made_done(&pieces);
    buf_done(&message);
    return 0;
}
