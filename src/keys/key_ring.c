#include "keys/dkim_key.h"
#include "keys/key_file.h"
#include "keys/key_process.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "tls/pem.h"
#include "world/whole_file.h"

static EVP_PKEY_CTX *make_context(EVP_PKEY *key, enum key_operation operation)
{
    bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
    if (rsa == (operation == KEY_ECDSA)) {
        return NULL;
    }
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    int padding = operation == KEY_RSA_RAW ? RSA_NO_PADDING : RSA_PKCS1_PADDING;
    if (!context || EVP_PKEY_sign_init(context) != 1 ||
        (rsa && EVP_PKEY_CTX_set_rsa_padding(context, padding) != 1)) {
        EVP_PKEY_CTX_free(context);
        return NULL;
    }
    return context;
}

/* Written anew from what was read: a file may hold the key as well. */
static bool write_chain(struct buf *out, X509 *leaf, STACK_OF(X509) * issuers)
{
    BIO *text = BIO_new(BIO_s_mem());
    bool good = text && PEM_write_bio_X509(text, leaf) == 1;
    for (int i = 0; good && i < sk_X509_num(issuers); i++) {
        good = PEM_write_bio_X509(text, sk_X509_value(issuers, i)) == 1;
    }
    char *bytes = NULL;
    long len = good ? BIO_get_mem_data(text, &bytes) : 0;
    buf_add(out, str_from(bytes, (size_t)len));
    BIO_free(text);
    return good && !out->failed;
}

static bool add_chain(struct buf *out, const char *file, X509 **leaf, struct buf *reason)
{
    struct buf text = {0};
    STACK_OF(X509) *issuers = NULL;
    struct file_stamp stamp;
    int error = whole_file_read(file, &text, &stamp);
    bool good = error == 0 && pem_chain(NULL, buf_str(&text), leaf, &issuers) &&
                write_chain(out, *leaf, issuers);
    if (!good) {
        pem_explain(reason, str_from_cstr(file), error);
    }
    sk_X509_pop_free(issuers, X509_free);
    buf_done(&text);
    return good;
}

static EVP_PKEY *read_key(const char *file, X509 *leaf, struct buf *reason)
{
    EVP_PKEY *key = key_file_read(file, reason);
    int kind = key ? EVP_PKEY_get_base_id(key) : 0;
    bool known = kind == EVP_PKEY_RSA || kind == EVP_PKEY_EC;
    if (known && X509_check_private_key(leaf, key) == 1) {
        return key;
    }
    if (key && !known) {
        buf_add_format(reason, "%s: no key of RSA or EC", file);
    } else if (key) {
        pem_explain(reason, str_from_cstr(file), 0);
    }
    EVP_PKEY_free(key);
    return NULL;
}

bool key_ring_add(struct key_ring *ring, const char *chain, const char *key, struct buf *reason)
{
    X509 *leaf = NULL;
    if (ring->count == KEYS_MAX) {
        buf_add_format(reason, "%s: more than %d", chain, KEYS_MAX);
        return false;
    }
    size_t at = ring->count++;
    EVP_PKEY *made = add_chain(&ring->pairs[at].chain, chain, &leaf, reason)
                         ? read_key(key, leaf, reason)
                         : NULL;
    X509_free(leaf);
    ring->pairs[at].key = made;
    if (!made || !key_id_of(made, &ring->pairs[at].id)) {
        return false;
    }
    for (int i = 0; i < KEY_OPERATIONS; i++) {
        ring->pairs[at].contexts[i] = make_context(made, (enum key_operation)i);
    }
    return true;
}

bool key_ring_add_dkim(struct key_ring *ring, const char *file, struct buf *reason)
{
    EVP_PKEY *key = dkim_key_read(file, reason);
    struct dkim_entry *more =
        key ? realloc(ring->dkim, (ring->dkim_count + 1) * sizeof *more) : NULL;
    if (!more) {
        EVP_PKEY_free(key);
        return false;
    }
    ring->dkim = more;
    dkim_key_id(str_from_cstr(file), &more[ring->dkim_count].id);
    more[ring->dkim_count++].key = key;
    return true;
}

static void answer_dkim(struct key_ring *ring, const struct key_question *question,
                        struct key_answer *answer)
{
    if (question->len != (size_t)SIGNER_KINDS * SIGNER_DIGEST_SIZE) {
        return;
    }
    answer->result = -ENOENT;
    for (size_t i = 0; i < ring->dkim_count; i++) {
        if (memcmp(&ring->dkim[i].id, &question->id, sizeof question->id) == 0) {
            answer->result = dkim_key_sign(ring->dkim[i].key, question->input, answer->made,
                                           sizeof answer->made);
            return;
        }
    }
}

static EVP_PKEY_CTX *find(struct key_ring *ring, const struct key_question *question)
{
    for (size_t i = 0; i < ring->count; i++) {
        if (memcmp(&ring->pairs[i].id, &question->id, sizeof question->id) == 0) {
            return ring->pairs[i].contexts[question->operation];
        }
    }
    return NULL;
}

static int give_chain(const struct key_ring *ring, const struct key_question *question,
                      unsigned char *out)
{
    struct chain_place place;
    if (question->len != sizeof place) {
        return -EINVAL;
    }
    memcpy(&place, question->input, sizeof place);
    if (place.pair >= ring->count) {
        return -ENOENT;
    }
    if (!ring->pairs[place.pair].key) {
        return -EKEYREJECTED;
    }
    struct str rest = str_tail(buf_str(&ring->pairs[place.pair].chain), place.offset);
    struct str part = str_head(rest, KEY_BYTES_MAX);
    memcpy(out, part.ptr, part.len);
    return (int)part.len;
}

void key_ring_answer(struct key_ring *ring, const struct key_question *question,
                     struct key_answer *answer)
{
    size_t len = sizeof answer->made;
    *answer = (struct key_answer){.result = -EINVAL};
    if (question->operation == KEY_DKIM) {
        answer_dkim(ring, question, answer);
        return;
    }
    if (question->operation == QUESTION_CHAIN) {
        answer->result = give_chain(ring, question, answer->made);
        return;
    }
    if (question->operation >= KEY_OPERATIONS || question->len > sizeof question->input) {
        return;
    }
    EVP_PKEY_CTX *context = find(ring, question);
    if (!context) {
        answer->result = -ENOENT;
    } else if (EVP_PKEY_sign(context, answer->made, &len, question->input, question->len) == 1) {
        answer->result = (int32_t)len;
    }
    ERR_clear_error();
}

void key_ring_done(struct key_ring *ring)
{
    for (size_t i = 0; i < ring->count; i++) {
        for (int j = 0; j < KEY_OPERATIONS; j++) {
            EVP_PKEY_CTX_free(ring->pairs[i].contexts[j]);
        }
        EVP_PKEY_free(ring->pairs[i].key);
        buf_done(&ring->pairs[i].chain);
    }
    for (size_t i = 0; i < ring->dkim_count; i++) {
        EVP_PKEY_free(ring->dkim[i].key);
    }
    free(ring->dkim);
    *ring = (struct key_ring){0};
}
