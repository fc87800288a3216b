/* Signatures on the way out, by a key's holder that answers late, not at all well, or is asked
 * again. */
#include "path/deliver/signing.h"

#include "delivery.h"

/* A digest that counts, and a holder of keys that answers after a while. */
struct crypto_digest {
    uint64_t octets;
};

static struct {
    unsigned digests; /* not yet ended */
    unsigned orders;
    int result;
    struct span time;
    struct timers *timers;
    struct timer timer;
    struct signer_order *waiting[SIGNATURES_MAX];
    size_t count;
} holder;

static struct crypto_digest *digest_new(struct crypto *crypto)
{
    (void)crypto;
    holder.digests++;
    return calloc(1, sizeof(struct crypto_digest));
}

static void digest_add(struct crypto_digest *digest, struct str bytes)
{
    digest->octets += bytes.len;
}

static bool digest_end(struct crypto_digest *digest, uint8_t out[CRYPTO_SHA256_SIZE])
{
    memset(out, 0, CRYPTO_SHA256_SIZE);
    memcpy(out, &digest->octets, sizeof digest->octets);
    free(digest);
    holder.digests--;
    return true;
}

static void on_time(struct timer *timer)
{
    size_t count = holder.count;
    (void)timer;
    holder.count = 0;
    for (size_t i = 0; i < count; i++) {
        struct signer_order *order = holder.waiting[i];
        order->result = holder.result;
        order->kind = SIGNER_ED25519;
        memset(order->octets, 's', sizeof order->octets);
        order->done(order);
    }
}

static void take_order(struct signer *signer, struct signer_order *order)
{
    (void)signer;
    holder.orders++;
    assert_true(holder.count < SIGNATURES_MAX);
    holder.waiting[holder.count++] = order;
    if (holder.count == 1) {
        holder.timer.fire = on_time;
        holder.timers->arm(holder.timers, &holder.timer, holder.time);
    }
}

static struct crypto crypto = {
    .digest_new = digest_new, .digest_add = digest_add, .digest_end = digest_end};
static struct signer signer = {.sign = take_order};
static struct config_dkim_key keys[] = {
    {.domain = STR_INIT("x.example"), .selector = STR_INIT("a"), .file = STR_INIT("/a.pem")},
    {.domain = STR_INIT("x.example"), .selector = STR_INIT("b"), .file = STR_INIT("/b.pem")},
    {.domain = STR_INIT("sub.x.example"),
     .selector = STR_INIT("c"),
     .file = STR_INIT("/c.pem"),
     .subdomains = DKIM_BELOW_NEVER},
};

static void begin_signing(struct test *t)
{
    begin(t);
    memset(&holder, 0, sizeof holder);
    holder.result = SIGNER_ED25519_SIZE;
    holder.time = SPAN_MS(3);
    holder.timers = &t->w.timers;
    t->w.ports.crypto = &crypto;
    t->w.ports.signer = &signer;
    t->config.dkim_keys = keys;
    t->config.dkim_key_count = ARRAY_LEN(keys);
    t->envelope.submitted = true;
    t->w.body = STR("From: a@x.example\r\n\r\nhello\r\n");
}

static void end_signing(struct test *t)
{
    end(t);
    assert_int_equal(holder.digests, 0);
}

static void each_key_of_the_nearest_domain_signs(void **state)
{
    static const struct {
        const char *body;
        unsigned signatures;
    } rows[] = {
        {"From: a@x.example\r\n\r\nhello\r\n", 2},
        {"From: a@X.Example\r\n", 2},
        {"From: a@sub.x.example\r\n\r\n", 1},
        {"From: a@deep.sub.x.example\r\n\r\n", 2}, /* c is for its own domain alone */
        {"From: a@y.example\r\n\r\n", 0},
        {"From: a@example\r\n\r\n", 0},
        {"Subject: none\r\n\r\n", 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct test t;
        begin_signing(&t);
        t.w.body = str_from_cstr(rows[i].body);
        deliver(&t, 1);
        assert_outcome(&t, 0, "taken", RELAYED);
        struct str got = buf_str(&t.a.messages);
        unsigned found = 0;
        while (str_starts(got, STR("DKIM-Signature: "))) {
            do {
                (void)str_split(&got, '\n');
            } while (str_starts(got, STR("\t")));
            found++;
        }
        assert_int_equal(found, rows[i].signatures);
        assert_int_equal(holder.orders, found);
        assert_true(str_starts(got, STR("Received: here\r\nFrom:")) || found == 0);
        end_signing(&t);
    }
}

static void what_is_not_ours_is_read_once(void **state)
{
    struct test t;
    (void)state;
    begin_signing(&t);
    t.envelope.submitted = false;
    deliver(&t, 1);
    assert_taken(&t.a, "Received: here\r\nFrom: a@x.example\r\n\r\nhello\r\n<end>");
    assert_int_equal(t.w.reads, 1);
    end_signing(&t);
}

static void mail_waits_for_a_key_that_cannot_be_used(void **state)
{
    struct test t;
    (void)state;
    begin_signing(&t);
    holder.result = -ENOENT;
    deliver(&t, 2);
    assert_outcome(&t, 0, "the DKIM key /b.pem cannot be used", .kind = OUTCOME_DEFERRED,
                   .status = {4, 3, 0});
    assert_outcome(&t, 1, "cannot be used", .kind = OUTCOME_DEFERRED, .status = {4, 3, 0});
    assert_taken(&t.a, "");
    assert_int_equal(t.b.connections, 0); /* no other host can help */
    end_signing(&t);
}

static void every_server_gets_signatures_of_its_own_form(void **state)
{
    struct test t;
    (void)state;
    begin_signing(&t);
    t.a.script.mail = "451 later";
    deliver(&t, 1);
    assert_outcome(&t, 0, "taken", RELAYED);
    assert_true(str_starts(buf_str(&t.b.messages), STR("DKIM-Signature: ")));
    assert_int_equal(holder.orders, 4);
    end_signing(&t);
}

static void transactions_with_one_server_share_them(void **state)
{
    struct test t;
    (void)state;
    begin_signing(&t);
    t.config.deliver.transaction_recipients = 1;
    deliver(&t, 3);
    assert_int_equal(t.a.taken, 3);
    assert_int_equal(holder.orders, 2);
    end_signing(&t);
}

static void a_stop_waits_for_the_key(void **state)
{
    struct test t;
    (void)state;
    begin_signing(&t);
    holder.time = SPAN_S(2);
    start(&t, 1);
    while (holder.orders == 0 && world_step(&t.w, t.w.now + SPAN_H(1).us)) {}
    deliver_stop(&t.office);
    while (t.done == 0 && world_step(&t.w, t.w.now + SPAN_H(1).us)) {}
    assert_int_equal(t.done, 1);
    assert_outcome(&t, 0, "stopped", .kind = OUTCOME_DEFERRED, .status = {4, 3, 2});
    end_signing(&t);
}

static void a_message_that_cannot_be_read_is_not_signed(void **state)
{
    struct test t;
    (void)state;
    begin_signing(&t);
    t.w.read_error = -EIO;
    deliver(&t, 1);
    assert_outcome(&t, 0, "could not be read", .kind = OUTCOME_DEFERRED, .status = {4, 3, 0});
    assert_int_equal(holder.orders, 0);
    end_signing(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_of_the_nearest_domain_signs),
        cmocka_unit_test(what_is_not_ours_is_read_once),
        cmocka_unit_test(mail_waits_for_a_key_that_cannot_be_used),
        cmocka_unit_test(every_server_gets_signatures_of_its_own_form),
        cmocka_unit_test(transactions_with_one_server_share_them),
        cmocka_unit_test(a_stop_waits_for_the_key),
        cmocka_unit_test(a_message_that_cannot_be_read_is_not_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
