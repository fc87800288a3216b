#include "keys/dkim_key.h"
#include "keys/key_process.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

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

/* Nobody is there to type a password. */
static int no_password(char *into, int size, int writing, void *owner)
{
    (void)into;
    (void)size;
    (void)writing;
    (void)owner;
    return -1;
}

bool key_ring_add(struct key_ring *ring, const char *file, struct buf *reason)
{
    ERR_clear_error();
    BIO *text = BIO_new_file(file, "r");
    EVP_PKEY *key = text ? PEM_read_bio_PrivateKey(text, NULL, no_password, NULL) : NULL;
    int kind = key ? EVP_PKEY_get_base_id(key) : 0;
    BIO_free(text);
    if (!key || ring->count == KEYS_MAX || (kind != EVP_PKEY_RSA && kind != EVP_PKEY_EC) ||
        !key_id_of(key, &ring->keys[ring->count].id)) {
        unsigned long code = ERR_peek_last_error();
        const char *why = code ? ERR_reason_error_string(code) : NULL;
        buf_add_format(reason, "%s: %s", file, why ? why : "no key of RSA or EC");
        EVP_PKEY_free(key);
        return false;
    }
    ring->keys[ring->count].key = key;
    for (int i = 0; i < KEY_OPERATIONS; i++) {
        ring->keys[ring->count].contexts[i] = make_context(key, (enum key_operation)i);
    }
    ring->count++;
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
        if (memcmp(&ring->keys[i].id, &question->id, sizeof question->id) == 0) {
            return ring->keys[i].contexts[question->operation];
        }
    }
    return NULL;
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
            EVP_PKEY_CTX_free(ring->keys[i].contexts[j]);
        }
        EVP_PKEY_free(ring->keys[i].key);
    }
    for (size_t i = 0; i < ring->dkim_count; i++) {
        EVP_PKEY_free(ring->dkim[i].key);
    }
    free(ring->dkim);
    *ring = (struct key_ring){0};
}
