#include "path/policy/dkim_query.h"

enum { PIECE = 16384 };

static struct dkim_query *query_of(struct auth_asking *asking)
{
    return CONTAINER_OF(asking, struct dkim_query, asking);
}

static bool next_question(struct auth_asking *asking, struct dns_question *question)
{
    return dkim_question(&query_of(asking)->dkim, question);
}

static void take_answer(struct auth_asking *asking, uint32_t id, const struct dns_answer *answer)
{
    dkim_answer(&query_of(asking)->dkim, id, answer);
}

static bool hash(struct crypto *crypto, struct str bytes, uint8_t out[CRYPTO_SHA256_SIZE])
{
    struct crypto_digest *digest = crypto->digest_new(crypto);
    if (digest) {
        crypto->digest_add(digest, bytes);
    }
    return digest && crypto->digest_end(digest, out);
}

static enum dkim_verdict verify(struct crypto *crypto, const struct dkim_work *work)
{
    static const enum dkim_verdict verdicts[] = {
        [CRYPTO_GOOD] = DKIM_GOOD,
        [CRYPTO_BAD] = DKIM_BAD,
        [CRYPTO_KEY_BROKEN] = DKIM_KEY_BROKEN,
        [CRYPTO_KEY_SHORT] = DKIM_KEY_SHORT,
    };
    uint8_t digest[CRYPTO_SHA256_SIZE];
    if (!hash(crypto, buf_str(&work->input), digest)) {
        return DKIM_BAD;
    }
    if (work->algorithm == ALGORITHM_RSA_SHA256) {
        return verdicts[crypto->verify_rsa(crypto, work->key, digest, work->signature)];
    }
    /* RFC 8463 signs the digest, as if it were the message. */
    struct str message = str_from((const char *)digest, sizeof digest);
    return verdicts[crypto->verify_ed25519(crypto, work->key, message, work->signature)];
}

static void do_work(struct dkim_query *query)
{
    for (struct dkim_work work; dkim_work(&query->dkim, &work);) {
        enum dkim_verdict verdict = verify(query->crypto, &work);
        buf_done(&work.input);
        dkim_worked(&query->dkim, work.check, verdict);
    }
}

static bool is_over(struct auth_asking *asking)
{
    do_work(query_of(asking));
    return dkim_done(&query_of(asking)->dkim);
}

static void give_up(struct auth_asking *asking)
{
    dkim_give_up(&query_of(asking)->dkim, "the DNS took too long");
}

static void ended(struct auth_asking *asking)
{
    struct dkim_query *query = query_of(asking);
    arc_conclude(&query->arc, &query->dkim);
    query->done(query);
}

static bool hash_body(struct dkim_query *query, size_t body, struct str text)
{
    struct canon_body canon = query->dkim.bodies[body].canon;
    struct crypto_digest *digest = query->crypto->digest_new(query->crypto);
    uint8_t out[CRYPTO_SHA256_SIZE];
    char piece[PIECE];
    if (!digest) {
        return false;
    }
    while (text.len > 0) {
        size_t n = canon_body_take(&canon, &text, piece, sizeof piece);
        query->crypto->digest_add(digest, str_from(piece, n));
    }
    for (size_t n; (n = canon_body_end(&canon, piece, sizeof piece)) > 0;) {
        query->crypto->digest_add(digest, str_from(piece, n));
    }
    if (!query->crypto->digest_end(digest, out)) {
        return false;
    }
    dkim_body(&query->dkim, body, out, canon.length);
    return true;
}

static struct str body_of(struct str message)
{
    struct header_iter it = header_begin(message);
    for (struct header_field field; header_next(&it, &field);) {}
    return header_body(&it);
}

/* False: no memory. */
static bool begin(struct dkim_query *query)
{
    struct str body = body_of(query->message);
    if (!dkim_start(&query->dkim, query->arena, query->message, query->now)) {
        return false;
    }
    arc_start(&query->arc, &query->dkim);
    for (size_t i = 0; i < query->dkim.body_count; i++) {
        if (!hash_body(query, i, body)) {
            return false;
        }
    }
    return true;
}

void dkim_query_start(struct dkim_query *query)
{
    static const struct auth_machine machine = {next_question, take_answer, is_over, give_up,
                                                ended};
    if (!begin(query)) {
        dkim_give_up(&query->dkim, "there is no memory to check it");
    }
    auth_asking_start(&query->asking, &machine, query->ports);
}

void dkim_query_cancel(struct dkim_query *query)
{
    auth_asking_cancel(&query->asking);
}
