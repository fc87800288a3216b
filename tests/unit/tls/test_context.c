/* Sessions that go on by tickets, on whichever loop, and which certificate a client gets. Loops are
 * contexts here, time is an argument, and nothing leaves this process. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "tls/context.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum { LIFE_S = 7200, LOOPS = 2 };

static int64_t now_us = 5;

static int64_t monotonic_us(struct clock *clock)
{
    (void)clock;
    return now_us;
}

static struct clock time_here = {.monotonic_us = monotonic_us};
static struct tickets *tickets;
static struct tls_contexts loops[LOOPS];

static const struct {
    const char *name, *names;
    bool rsa;
} given[] = {
    {"ec for both", "DNS:one.example,DNS:two.example", false},
    {"rsa for one", "DNS:one.example", true},
    {"rsa for all of three", "DNS:*.three.example", true},
    {"ec for a host of three", "DNS:a.three.example", false},
};
enum { GIVEN = ARRAY_LEN(given) };

static void add_pem(struct buf *out, BIO *text)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(text, &bytes);
    buf_add(out, str_from(bytes, (size_t)len));
    BIO_free(text);
}

static void make_pair(size_t i, struct buf *chain, struct buf *key_text)
{
    EVP_PKEY *key = given[i].rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    X509 *made = X509_new();
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, given[i].names);
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), (long)i + 1);
    X509_gmtime_adj(X509_getm_notBefore(made), 0);
    X509_gmtime_adj(X509_getm_notAfter(made), 1000);
    X509_set_pubkey(made, key);
    assert_int_equal(X509_add_ext(made, names, -1), 1);
    assert_true(X509_sign(made, key, EVP_sha256()) > 0);
    BIO *text = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(text, made);
    add_pem(chain, text);
    text = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL);
    add_pem(key_text, text);
    X509_EXTENSION_free(names);
    X509_free(made);
    EVP_PKEY_free(key);
}

static int begin(void **state)
{
    struct buf chains[GIVEN] = {0}, keys[GIVEN] = {0}, reason = {0};
    struct tls_pair pairs[GIVEN];
    (void)state;
    for (size_t i = 0; i < GIVEN; i++) {
        make_pair(i, &chains[i], &keys[i]);
        pairs[i] = (struct tls_pair){.name = str_from_cstr(given[i].name),
                                     .chain = buf_str(&chains[i]),
                                     .key = buf_str(&keys[i])};
    }
    tickets = tickets_new(SPAN_S(LIFE_S));
    struct tls_source source = {.pairs = pairs, .count = GIVEN, .tickets = tickets};
    for (size_t i = 0; i < LOOPS; i++) {
        if (!tls_contexts_open(&loops[i], &source, &time_here, &reason)) {
            fail_msg("%.*s", STR_ARG(reason));
        }
    }
    pairs[0].key = pairs[1].key;
    assert_null(certificates_new(NULL, pairs, GIVEN, NULL, &reason));
    for (size_t i = 0; i < GIVEN; i++) {
        buf_done(&chains[i]);
        buf_done(&keys[i]);
    }
    buf_done(&reason);
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (size_t i = 0; i < LOOPS; i++) {
        tls_contexts_close(&loops[i]);
    }
    tickets_free(tickets);
    return 0;
}

static void pass(SSL *from, SSL *to)
{
    char bytes[16384];
    int got;
    while ((got = BIO_read(SSL_get_wbio(from), bytes, sizeof bytes)) > 0) {
        assert_int_equal(BIO_write(SSL_get_rbio(to), bytes, got), got);
    }
}

struct meeting {
    int version;
    size_t loop;
    char host[32], algorithms[32]; /* empty: none asked for; all (OpenSSL's macros want no const) */
    SSL_SESSION *session;          /* to go on with; and then the one that came of it */
    bool resumed;
    long certificate; /* its serial number; 0: none came */
};

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct meeting *m = SSL_get_app_data(ssl);
    SSL_SESSION_free(m->session);
    m->session = session;
    return 1;
}

static void look(struct meeting *m, SSL *client)
{
    X509 *shown = SSL_get0_peer_certificate(client);
    m->resumed = SSL_session_reused(client) == 1;
    m->certificate = shown ? ASN1_INTEGER_get(X509_get0_serialNumber(shown)) : 0;
}

/* False: the handshake fails. */
static bool meet(struct meeting *m)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    SSL_CTX_set_min_proto_version(context, m->version);
    SSL_CTX_set_max_proto_version(context, m->version);
    SSL *server = SSL_new(loops[m->loop].server), *client = SSL_new(context);
    SSL_set_app_data(client, m);
    SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (m->host[0]) {
        SSL_set_tlsext_host_name(client, m->host);
    }
    if (m->algorithms[0]) {
        assert_int_equal(SSL_set1_sigalgs_list(client, m->algorithms), 1);
    }
    if (m->session) {
        SSL_set_session(client, m->session);
    }
    int done = 0;
    for (int i = 0; i < 6 && done != 1; i++) {
        (void)SSL_connect(client);
        pass(client, server);
        done = SSL_accept(server);
        pass(server, client);
    }
    char byte;
    bool good = done == 1 && SSL_connect(client) == 1;
    (void)SSL_read(client, &byte, 1); /* the ticket of TLS 1.3 */
    look(m, client);
    SSL_set_shutdown(client, SSL_SENT_SHUTDOWN); /* else its session is held to be broken */
    SSL_free(server);
    SSL_free(client);
    SSL_CTX_free(context);
    return good;
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* Whether a session of now goes on on another loop after that time. */
static bool goes_on_after(int version, int64_t seconds)
{
    struct meeting m = {.version = version};
    assert_true(meet(&m));
    assert_false(m.resumed);
    assert_non_null(m.session);
    now_us += seconds * 1000000;
    m.loop = 1;
    assert_true(meet(&m));
    SSL_SESSION_free(m.session);
    return m.resumed;
}

static void test_a_session_goes_on_on_any_loop(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        assert_true(goes_on_after(versions[i], 0));
    }
}

static void test_a_session_outlives_one_change_of_keys_and_not_two(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        now_us += INT64_C(3) * LIFE_S * 1000000; /* the next key is made now */
        assert_true(goes_on_after(versions[i], LIFE_S - 1));
        assert_true(goes_on_after(versions[i], LIFE_S));
        assert_false(goes_on_after(versions[i], 2 * LIFE_S));
        assert_false(goes_on_after(versions[i], 100 * LIFE_S));
    }
}

static void test_keys_change_by_the_clock_and_not_by_use(void **state)
{
    (void)state;
    struct ticket_key first, second, found;
    const int64_t life_us = INT64_C(1000000) * LIFE_S;
    struct tickets *t = tickets_new(SPAN_S(LIFE_S));
    assert_true(tickets_current(t, 0, &first));
    assert_true(tickets_current(t, life_us - 1, &second));
    assert_memory_equal(&first, &second, sizeof first);
    assert_true(tickets_current(t, 2 * life_us - 1, &second));
    assert_memory_not_equal(&first, &second, sizeof first);
    assert_true(tickets_find(t, 2 * life_us - 1, first.name, &found));
    assert_memory_equal(&first, &found, sizeof first);
    assert_false(tickets_find(t, 2 * life_us, first.name, &found));
    assert_true(tickets_find(t, 3 * life_us - 1, second.name, &found));
    assert_false(tickets_find(t, 3 * life_us, second.name, &found));
    tickets_free(t);
}

static void test_a_client_gets_the_certificate_of_its_name_that_it_can_check(void **state)
{
    (void)state;
    static const char ec[] = "ecdsa_secp256r1_sha256", rsa[] = "rsa_pss_rsae_sha256";
    static const struct {
        const char *host, *algorithms;
        long certificate; /* by its place in `given`, from 1; 0: no handshake */
    } rows[] = {
        {"one.example", "", 1},
        {"one.example", ec, 1},
        {"one.example", rsa, 2},
        {"two.example", rsa, 0},
        {"two.example", ec, 1},
        {"a.three.example", ec, 4},
        {"a.three.example", rsa, 3},
        {"b.three.example", rsa, 3},
        {"b.three.example", "", 3},
        {"b.three.example", ec, 0},
        {"", "", 1},
        {"", rsa, 2},
        {"elsewhere.example", rsa, 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t j = 0; j < ARRAY_LEN(versions); j++) {
            struct meeting m = {.version = versions[j]};
            (void)snprintf(m.host, sizeof m.host, "%s", rows[i].host);
            (void)snprintf(m.algorithms, sizeof m.algorithms, "%s", rows[i].algorithms);
            bool good = meet(&m);
            SSL_SESSION_free(m.session);
            if (good != (rows[i].certificate != 0) || m.certificate != rows[i].certificate) {
                fail_msg("%s, %s, version %x: certificate %ld", rows[i].host, rows[i].algorithms,
                         (unsigned)versions[j], m.certificate);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_session_goes_on_on_any_loop),
        cmocka_unit_test(test_a_session_outlives_one_change_of_keys_and_not_two),
        cmocka_unit_test(test_keys_change_by_the_clock_and_not_by_use),
        cmocka_unit_test(test_a_client_gets_the_certificate_of_its_name_that_it_can_check),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
