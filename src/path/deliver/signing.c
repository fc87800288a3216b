#include "path/deliver/signing.h"

#include "core/dns/name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const enum signature_algorithm algorithms[SIGNER_KINDS] = {
    [SIGNER_RSA] = ALGORITHM_RSA_SHA256, [SIGNER_ED25519] = ALGORITHM_ED25519_SHA256};

bool signing_wanted(const struct ports *ports, const struct delivery_job *job)
{
    const struct envelope *e = job->envelope;
    return job->config->dkim_key_count > 0 && ports->signer && ports->crypto &&
           (e->submitted || e->is_report);
}

struct signing *signing_new(const struct ports *ports, const struct delivery_job *job)
{
    struct signing *s = calloc(1, sizeof *s);
    struct crypto_digest *digest = s ? ports->crypto->digest_new(ports->crypto) : NULL;
    if (!digest) {
        free(s);
        return NULL;
    }
    s->ports = ports;
    s->job = job;
    s->digest = digest;
    s->encoder = data_encoder_begin(false);
    sign_begin(&s->sign, &s->arena);
    return s;
}

/* The keys of that very domain for that use. */
static void choose(struct signing *s, struct str domain, bool tls_reports)
{
    const struct config *config = s->job->config;
    bool itself = str_eq(domain, s->sign.from);
    for (size_t i = 0; i < config->dkim_key_count && s->count < SIGNATURES_MAX; i++) {
        const struct config_dkim_key *key = &config->dkim_keys[i];
        bool fits = itself || key->subdomains == DKIM_BELOW_SIGN;
        if (fits && str_eq(key->domain, domain) &&
            (key->use == DKIM_USE_TLS_REPORTS) == tls_reports) {
            s->fields[s->count++].key = key;
        }
    }
}

/* Those of the domain in From, or else of the nearest above it. A report about TLS has keys of its
 * own (RFC 8460 3), where there are any. */
static void choose_keys(struct signing *s)
{
    bool report =
        s->job->envelope->is_report && sign_has_field(&s->sign, STR("TLS-Report-Submitter"));
    for (int own = report; own >= 0 && s->count == 0; own--) {
        for (struct str domain = s->sign.from; domain.len > 0 && s->count == 0;) {
            choose(s, domain, own != 0);
            (void)str_split(&domain, '.');
        }
    }
    s->chosen = true;
}

static void fail(struct signing *s, int error, struct str trouble)
{
    s->error = error;
    s->trouble = trouble;
}

static void out_of_memory(struct signing *s)
{
    fail(s, -ENOMEM, STR("there is no memory to sign the message"));
}

/* What was encoded since the last time. */
static void hash(struct signing *s)
{
    char out[SIGNING_PIECE];
    struct str in = buf_str(&s->encoded);
    while (in.len > 0) {
        size_t n = sign_take(&s->sign, &in, out, sizeof out);
        s->ports->crypto->digest_add(s->digest, str_from(out, n));
    }
    s->sign.failed = s->sign.failed || s->encoded.failed;
    buf_clear(&s->encoded);
    if (s->sign.failed) {
        out_of_memory(s);
    } else if (s->sign.state == SIGN_IN_BODY && !s->chosen) {
        choose_keys(s);
    }
}

bool signing_take(struct signing *s, struct str piece)
{
    data_encode(&s->encoder, piece, &s->encoded);
    hash(s);
    bool none = s->sign.state == SIGN_UNFIT || (s->chosen && s->count == 0);
    return s->error == 0 && !none;
}

static bool digest_of(struct signing *s, struct str input, uint8_t out[SIGNER_DIGEST_SIZE])
{
    struct crypto *crypto = s->ports->crypto;
    struct crypto_digest *digest = crypto->digest_new(crypto);
    if (digest) {
        crypto->digest_add(digest, input);
    }
    return digest && crypto->digest_end(digest, out);
}

/* The field for each kind that its key may be of. False: no memory. */
static bool make_texts(struct signing *s, struct signing_field *field, struct str body_hash)
{
    const struct config_dkim_key *key = field->key;
    struct clock *clock = s->ports->clock;
    int64_t now = instant_seconds(clock->wall(clock));
    bool good = true;
    for (int i = 0; good && i < SIGNER_KINDS; i++) {
        struct sign_terms terms = {.domain = key->domain,
                                   .selector = key->selector,
                                   .algorithm = algorithms[i],
                                   .fields = key->fields,
                                   .time = now,
                                   .end = key->expire.us > 0 ? now + key->expire.us / 1000000 : 0,
                                   .body_hash = body_hash};
        struct buf input = {0};
        if (!sign_field(&s->sign, &terms, &field->texts[i], &input)) {
            s->sign.state = SIGN_UNFIT;
        }
        good = !input.failed && !field->texts[i].failed &&
               digest_of(s, buf_str(&input), field->order.digests[i]);
        buf_done(&input);
    }
    return good;
}

/* What the sending, which may take hours, has no use for. */
static void free_scratch(struct signing *s)
{
    for (size_t i = 0; i < SIGNATURES_MAX; i++) {
        for (int k = 0; k < SIGNER_KINDS; k++) {
            buf_done(&s->fields[i].texts[k]);
        }
    }
    buf_done(&s->encoded);
    sign_done(&s->sign);
    if (s->error == 0) {
        arena_done(&s->arena); /* else its words are there */
    }
}

static void conclude(struct signing *s)
{
    free_scratch(s);
    buf_add(&s->top, s->job->additions);
    if (s->top.failed && s->error == 0) {
        out_of_memory(s);
    }
    s->done(s);
}

static void note(const struct signing *s, const struct signing_field *field)
{
    struct queue_id_text id = queue_id_text(s->job->envelope->id);
    log_event(
        s->ports->log, LOG_DEBUG, "signed", F_STR("id", queue_id_str(&id)),
        F_STR("site", s->job->site), F_STR("domain", field->key->domain),
        F_STR("selector", field->key->selector),
        F_STR("algorithm", str_from_cstr(signature_algorithm_name(algorithms[field->order.kind]))));
}

/* One key's word; the last one's ends it. A message without the signature that its domain's owner
 * wanted may be taken for a forgery: rather none now than such a one. */
static void on_signed(struct signer_order *order)
{
    struct signing *s = order->owner;
    struct signing_field *field = CONTAINER_OF(order, struct signing_field, order);
    if (order->result < 0) {
        fail(s, order->result,
             arena_format(
                 &s->arena, "the message could not be signed: the DKIM key %.*s cannot be %s",
                 STR_ARG(field->key->file), order->result == -ENOENT ? "used" : "reached"));
    } else if (s->error == 0) {
        struct buf *text = &field->texts[order->kind];
        sign_seal(text, str_from(order->octets, (size_t)order->result));
        buf_add(&s->top, buf_str(text));
        s->top.failed = s->top.failed || text->failed;
        note(s, field);
    }
    if (--s->open == 0) {
        conclude(s);
    }
}

static void ask(struct signing *s)
{
    struct signer *signer = s->ports->signer;
    s->open = s->count;
    for (size_t i = 0; i < s->count; i++) {
        struct signer_order *order = &s->fields[i].order;
        order->done = on_signed;
        order->file = s->fields[i].key->file;
        order->owner = s;
        signer->sign(signer, order);
    }
}

bool signing_end(struct signing *s)
{
    uint8_t body_hash[SIGNER_DIGEST_SIZE];
    char out[SIGNING_PIECE];
    data_encode_end(&s->encoder, &s->encoded);
    hash(s);
    for (size_t n; (n = sign_end(&s->sign, out, sizeof out)) > 0;) {
        s->ports->crypto->digest_add(s->digest, str_from(out, n));
    }
    bool hashed = s->ports->crypto->digest_end(s->digest, body_hash);
    s->digest = NULL;
    if (s->sign.state == SIGN_IN_BODY && !s->chosen) {
        choose_keys(s); /* it is all header */
    }
    if (s->error != 0 || s->sign.state != SIGN_IN_BODY || s->count == 0) {
        return false;
    }
    struct str hash_text = str_from((const char *)body_hash, sizeof body_hash);
    for (size_t i = 0; hashed && i < s->count; i++) {
        hashed = make_texts(s, &s->fields[i], hash_text);
    }
    if (!hashed) {
        out_of_memory(s);
        return false;
    }
    if (s->sign.state == SIGN_UNFIT) {
        return false;
    }
    ask(s);
    return true;
}

void signing_free(struct signing *s)
{
    if (!s) {
        return;
    }
    if (s->digest) {
        uint8_t unused[SIGNER_DIGEST_SIZE];
        (void)s->ports->crypto->digest_end(s->digest, unused);
    }
    free_scratch(s);
    arena_done(&s->arena);
    buf_done(&s->top);
    free(s);
}
