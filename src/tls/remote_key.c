/* OpenSSL 3.0 calls these methods deprecated in favour of providers. A provider would have to carry
 * all of signing, key management and export for what is two functions here. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "tls/remote_key.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct remote {
    struct key_signer *signer;
    struct key_id id;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static RSA_METHOD *rsa_method;
static EC_KEY_METHOD *ec_method;
static int rsa_index = -1, ec_index = -1; /* where a key carries its struct remote */

static int sign_rsa(int len, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
    const struct remote *remote = RSA_get_ex_data(rsa, rsa_index);
    unsigned char made[KEY_BYTES_MAX];
    if (!remote || len < 0 || (padding != RSA_NO_PADDING && padding != RSA_PKCS1_PADDING)) {
        return -1;
    }
    int size = remote->signer->sign(remote->signer, &remote->id,
                                    padding == RSA_NO_PADDING ? KEY_RSA_RAW : KEY_RSA_PKCS1,
                                    str_from((const char *)from, (size_t)len), made);
    if (size != RSA_size(rsa)) {
        return -1;
    }
    memcpy(to, made, (size_t)size);
    return size;
}

static ECDSA_SIG *sign_ec(const unsigned char *digest, int len, const BIGNUM *inverse,
                          const BIGNUM *r, EC_KEY *key)
{
    const struct remote *remote = EC_KEY_get_ex_data(key, ec_index);
    unsigned char made[KEY_BYTES_MAX];
    const unsigned char *at = made;
    (void)inverse;
    (void)r;
    if (!remote || len < 0) {
        return NULL;
    }
    int size = remote->signer->sign(remote->signer, &remote->id, KEY_ECDSA,
                                    str_from((const char *)digest, (size_t)len), made);
    return size > 0 ? d2i_ECDSA_SIG(NULL, &at, size) : NULL;
}

static int finish_rsa(RSA *rsa)
{
    free(RSA_get_ex_data(rsa, rsa_index));
    return RSA_meth_get_finish(RSA_PKCS1_OpenSSL())(rsa);
}

static void finish_ec(EC_KEY *key)
{
    free(EC_KEY_get_ex_data(key, ec_index));
}

/* OpenSSL's own makes DER of what sign_ec() gives. */
static void set_ec_methods(void)
{
    int (*der)(int type, const unsigned char *digest, int len, unsigned char *to,
               unsigned int *to_len, const BIGNUM *inverse, const BIGNUM *r, EC_KEY *key) = NULL;
    int (*setup)(EC_KEY * key, BN_CTX * context, BIGNUM * *inverse, BIGNUM * *r) = NULL;
    EC_KEY_METHOD_get_sign(EC_KEY_OpenSSL(), &der, &setup, NULL);
    EC_KEY_METHOD_set_sign(ec_method, der, setup, sign_ec);
    EC_KEY_METHOD_set_init(ec_method, NULL, finish_ec, NULL, NULL, NULL, NULL);
}

/* For the life of the process. */
static void make_methods(void)
{
    rsa_index = RSA_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    ec_index = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    rsa_method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
    ec_method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    if (!rsa_method || !ec_method || RSA_meth_set_priv_enc(rsa_method, sign_rsa) != 1 ||
        RSA_meth_set_finish(rsa_method, finish_rsa) != 1 ||
        RSA_meth_set_flags(rsa_method, RSA_METHOD_FLAG_NO_CHECK) != 1) {
        rsa_index = ec_index = -1;
        return;
    }
    set_ec_methods();
}

bool key_id_of(EVP_PKEY *key, struct key_id *id)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    if (len <= 0) {
        return false;
    }
    SHA256(der, (size_t)len, id->bytes);
    OPENSSL_free(der);
    return true;
}

static bool wrap_rsa(EVP_PKEY *made, EVP_PKEY *public_key, struct remote *remote)
{
    RSA *rsa = EVP_PKEY_get1_RSA(public_key);
    RSA *copy = rsa ? RSAPublicKey_dup(rsa) : NULL;
    RSA_free(rsa);
    if (copy && RSA_set_method(copy, rsa_method) == 1 &&
        RSA_set_ex_data(copy, rsa_index, remote) == 1) {
        if (EVP_PKEY_assign_RSA(made, copy) == 1) {
            return true;
        }
        RSA_set_ex_data(copy, rsa_index, NULL);
    }
    RSA_free(copy);
    return false;
}

static bool wrap_ec(EVP_PKEY *made, EVP_PKEY *public_key, struct remote *remote)
{
    EC_KEY *key = EVP_PKEY_get1_EC_KEY(public_key);
    EC_KEY *copy = key ? EC_KEY_dup(key) : NULL;
    EC_KEY_free(key);
    if (copy && EC_KEY_set_method(copy, ec_method) == 1 &&
        EC_KEY_set_ex_data(copy, ec_index, remote) == 1) {
        if (EVP_PKEY_assign_EC_KEY(made, copy) == 1) {
            return true;
        }
        EC_KEY_set_ex_data(copy, ec_index, NULL);
    }
    EC_KEY_free(copy);
    return false;
}

EVP_PKEY *remote_key_new(EVP_PKEY *public_key, struct key_signer *signer)
{
    pthread_once(&once, make_methods);
    EVP_PKEY *made = EVP_PKEY_new();
    struct remote *remote = calloc(1, sizeof *remote);
    bool good = made && remote && rsa_index >= 0 && key_id_of(public_key, &remote->id);
    if (good) {
        remote->signer = signer;
        int kind = EVP_PKEY_get_base_id(public_key);
        good = kind == EVP_PKEY_RSA  ? wrap_rsa(made, public_key, remote)
               : kind == EVP_PKEY_EC ? wrap_ec(made, public_key, remote)
                                     : false;
    }
    if (!good) {
        free(remote);
        EVP_PKEY_free(made);
        return NULL;
    }
    return made;
}

bool remote_key_works(EVP_PKEY *key)
{
    static const unsigned char words[] = "is the key there?";
    unsigned char signature[KEY_BYTES_MAX];
    size_t len = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool works = context &&
                 EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
                 EVP_DigestSign(context, signature, &len, words, sizeof words) == 1;
    EVP_MD_CTX_free(context);
    return works;
}
