/* Handshakes whose server's key is in another process. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "keys/asker.h"
#include "keys/key_process.h"
#include "supervise/channel.h"
#include "tls/certificates.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/postrider-keys-XXXXXX";
static struct key_asker asker;
static pid_t process;

struct pair {
    const char *name;
    char chain[64], key[64];
};
static struct pair pairs[] = {{.name = "rsa"}, {.name = "ec"}};
static char both[64]; /* a file with a key and its certificate */

static void write_pair(struct pair *pair, EVP_PKEY *key)
{
    X509 *made = X509_new();
    (void)snprintf(pair->chain, sizeof pair->chain, "%s/%s.pem", folder, pair->name);
    (void)snprintf(pair->key, sizeof pair->key, "%s/%s.key", folder, pair->name);
    X509_gmtime_adj(X509_getm_notBefore(made), 0);
    X509_gmtime_adj(X509_getm_notAfter(made), 1000);
    X509_set_pubkey(made, key);
    assert_true(X509_sign(made, key, EVP_sha256()) > 0);
    FILE *file = fopen(pair->chain, "w");
    assert_int_equal(PEM_write_X509(file, made), 1);
    fclose(file);
    file = fopen(pair->key, "w");
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    (void)snprintf(both, sizeof both, "%s/both.pem", folder);
    file = fopen(both, "w");
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(PEM_write_X509(file, made), 1);
    fclose(file);
    X509_free(made);
    EVP_PKEY_free(key);
}

/* Numbers of what the process is given behind `pairs`. */
enum { BOTH = ARRAY_LEN(pairs), MIXED, MISSING };

static void run_process(int door)
{
    struct key_ring ring = {0};
    struct buf reason = {0};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        if (!key_ring_add(&ring, pairs[i].chain, pairs[i].key, &reason)) {
            _exit(1);
        }
    }
    if (!key_ring_add(&ring, both, both, &reason) ||
        key_ring_add(&ring, pairs[0].chain, pairs[1].key, &reason) ||
        key_ring_add(&ring, "/nowhere", pairs[1].key, &reason)) {
        _exit(1);
    }
    buf_done(&reason);
    key_process_run(&ring, door);
    key_ring_done(&ring);
    _exit(0);
}

static int door;

static int connect_keys(void *owner, bool stuck)
{
    int ends[2];
    (void)owner;
    (void)stuck;
    assert_int_equal(channel_pair(ends), 0);
    struct message message = {.kind = MESSAGE_SOCKET, .descriptor = ends[1]};
    assert_int_equal(channel_send(door, &message), 0);
    close(ends[1]);
    return ends[0];
}

static int begin(void **state)
{
    int ends[2];
    (void)state;
    assert_non_null(mkdtemp(folder));
    write_pair(&pairs[0], EVP_RSA_gen(2048));
    write_pair(&pairs[1], EVP_EC_gen("P-256"));
    assert_int_equal(channel_pair(ends), 0);
    process = fork();
    if (process == 0) {
        close(ends[0]);
        run_process(ends[1]);
    }
    close(ends[1]);
    door = ends[0];
    key_asker_open(&asker, connect_keys, NULL);
    return 0;
}

static int end(void **state)
{
    int status = 1;
    (void)state;
    key_asker_close(&asker);
    close(door);
    assert_int_equal(waitpid(process, &status, 0), process);
    assert_int_equal(status, 0);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        unlink(pairs[i].chain);
        unlink(pairs[i].key);
    }
    unlink(both);
    return rmdir(folder);
}

static void pass(SSL *from, SSL *to)
{
    char bytes[16384];
    int got;
    while ((got = BIO_read(SSL_get_wbio(from), bytes, sizeof bytes)) > 0) {
        assert_int_equal(BIO_write(SSL_get_rbio(to), bytes, got), got);
    }
}

static bool shake_hands(SSL_CTX *server_context, int version)
{
    SSL_CTX *client_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(client_context, version);
    SSL_CTX_set_max_proto_version(client_context, version);
    SSL *server = SSL_new(server_context), *client = SSL_new(client_context);
    SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    int done = 0;
    for (int i = 0; i < 6 && done != 1; i++) {
        (void)SSL_connect(client);
        pass(client, server);
        done = SSL_accept(server);
        pass(server, client);
    }
    bool good = done == 1 && SSL_connect(client) == 1;
    SSL_free(server);
    SSL_free(client);
    SSL_CTX_free(client_context);
    return good;
}

static int give(SSL *ssl, void *certificates)
{
    return certificates_give(certificates, ssl);
}

static void test_handshakes_are_made_with_keys_that_are_elsewhere(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
        SSL_CTX *context = SSL_CTX_new_ex(library, NULL, TLS_server_method());
        struct buf chain = {0}, reason = {0};
        assert_int_equal(key_asker_chain(&asker, (uint32_t)i, &chain), 0);
        struct tls_pair pair = {.name = str_from_cstr(pairs[i].name), .chain = buf_str(&chain)};
        struct certificates *made = certificates_new(library, &pair, 1, &asker.signer, &reason);
        if (!made || !certificates_work(made)) {
            fail_msg("%s: %.*s", pairs[i].name, STR_ARG(reason));
        }
        SSL_CTX_set_cert_cb(context, give, made);
        for (size_t j = 0; j < ARRAY_LEN(versions); j++) {
            if (!shake_hands(context, versions[j])) {
                fail_msg("%s, version %x", pairs[i].name, (unsigned)versions[j]);
            }
        }
        SSL_CTX_free(context);
        certificates_free(made);
        OSSL_LIB_CTX_free(library);
        buf_done(&chain);
        buf_done(&reason);
    }
}

static void test_a_chain_is_given_without_the_key_that_stands_in_its_file(void **state)
{
    (void)state;
    struct buf chain = {0};
    assert_int_equal(key_asker_chain(&asker, BOTH, &chain), 0);
    assert_true(str_find_str(buf_str(&chain), STR("BEGIN CERTIFICATE")) != STR_NONE);
    assert_true(str_find_str(buf_str(&chain), STR("PRIVATE KEY")) == STR_NONE);
    buf_done(&chain);
}

static void test_a_pair_that_is_wrong_keeps_its_number(void **state)
{
    (void)state;
    struct buf chain = {0};
    assert_int_equal(key_asker_chain(&asker, MIXED, &chain), -EKEYREJECTED);
    assert_int_equal(key_asker_chain(&asker, MISSING, &chain), -EKEYREJECTED);
    assert_int_equal(key_asker_chain(&asker, MISSING + 1, &chain), -ENOENT);
    assert_int_equal(chain.len, 0);
}

static void test_what_is_not_to_be_signed_is_refused(void **state)
{
    (void)state;
    unsigned char made[KEY_BYTES_MAX], input[KEY_BYTES_MAX + 1] = {0};
    struct key_id unknown = {{1}}, known;
    FILE *file = fopen(pairs[1].key, "r");
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    assert_true(key_id_of(key, &known));
    EVP_PKEY_free(key);
    const struct {
        const char *name;
        const struct key_id *id;
        enum key_operation operation;
        size_t len;
        int result;
    } rows[] = {
        {"an unknown key", &unknown, KEY_ECDSA, 32, -ENOENT},
        {"an operation of other keys", &known, KEY_RSA_RAW, 256, -ENOENT},
        {"no operation", &known, (enum key_operation)(KEY_DKIM + 1), 32, -EINVAL},
        {"too few digests", &unknown, (enum key_operation)KEY_DKIM, 32, -EINVAL},
        {"a key of TLS, for mail", &known, (enum key_operation)KEY_DKIM, 64, -ENOENT},
        {"too much", &known, KEY_ECDSA, KEY_BYTES_MAX + 1, -EINVAL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int result = asker.signer.sign(&asker.signer, rows[i].id, rows[i].operation,
                                       str_from((const char *)input, rows[i].len), made);
        if (result != rows[i].result) {
            fail_msg("%s: %d", rows[i].name, result);
        }
    }
    shutdown(asker.socket, SHUT_RDWR); /* another socket is asked for */
    assert_true(asker.signer.sign(&asker.signer, &known, KEY_ECDSA,
                                  str_from((const char *)input, 32), made) > 0);
    assert_int_equal(send(asker.socket, input, 3, 0), 3); /* nonsense is passed over */
    assert_true(asker.signer.sign(&asker.signer, &known, KEY_ECDSA,
                                  str_from((const char *)input, 32), made) > 0);
}

static void test_a_place_in_a_chain_that_is_none_gives_nothing(void **state)
{
    (void)state;
    static struct key_ring ring;
    struct buf reason = {0};
    assert_true(key_ring_add(&ring, pairs[1].chain, pairs[1].key, &reason));
    const uint32_t end = (uint32_t)ring.pairs[0].chain.len;
    const struct {
        const char *name;
        struct chain_place place;
        uint32_t len;
        int result;
    } rows[] = {
        {"the last octet", {0, end - 1}, sizeof(struct chain_place), 1},
        {"the end", {0, end}, sizeof(struct chain_place), 0},
        {"far behind it", {0, UINT32_MAX}, sizeof(struct chain_place), 0},
        {"the pair behind the last", {1, 0}, sizeof(struct chain_place), -ENOENT},
        {"a pair far behind", {UINT32_MAX, 0}, sizeof(struct chain_place), -ENOENT},
        {"too little", {0, 0}, sizeof(struct chain_place) - 1, -EINVAL},
        {"too much", {0, 0}, UINT32_MAX, -EINVAL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct key_question question = {.operation = QUESTION_CHAIN, .len = rows[i].len};
        struct key_answer answer;
        memcpy(question.input, &rows[i].place, sizeof rows[i].place);
        key_ring_answer(&ring, &question, &answer);
        if (answer.result != rows[i].result) {
            fail_msg("%s: %d", rows[i].name, answer.result);
        }
    }
    key_ring_done(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshakes_are_made_with_keys_that_are_elsewhere),
        cmocka_unit_test(test_a_chain_is_given_without_the_key_that_stands_in_its_file),
        cmocka_unit_test(test_a_pair_that_is_wrong_keeps_its_number),
        cmocka_unit_test(test_a_place_in_a_chain_that_is_none_gives_nothing),
        cmocka_unit_test(test_what_is_not_to_be_signed_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
