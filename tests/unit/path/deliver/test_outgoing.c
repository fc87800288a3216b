#include "path/deliver/outgoing.h"

#include "delivery.h"

/* A body longer than any buffer on its way, with lines that need every care. */
static struct str long_body(size_t octets)
{
    struct buf b = {0};
    while (b.len < octets) {
        buf_add_format(&b, ".%zu a line that goes on for a while\r\n", b.len);
    }
    return buf_str(&b);
}

static void a_long_body_is_read_piece_by_piece_whatever_the_network_does(void **state)
{
    (void)state;
    for (int chunks = 0; chunks < 2; chunks++) {
        struct test t;
        begin(&t);
        t.w.wire.window = 10000;
        t.w.wire.delay = SPAN_MS(50); /* the network is slower than the disk */
        sim_fault(&t.w.wire, "*")->piece = 1460;
        t.w.body = long_body(500000);
        if (chunks) {
            t.a.script.ehlo = "250-mx.example\r\n250-PIPELINING\r\n250 CHUNKING";
        }
        deliver(&t, 1);
        assert_outcome(&t, 0, "taken", RELAYED);
        struct str got = buf_str(&t.a.messages);
        assert_int_equal(got.len, 16 + t.w.body.len + 5);
        assert_memory_equal(got.ptr + 16, t.w.body.ptr, t.w.body.len);
        assert_int_equal(t.w.reads, (t.w.body.len + 65535) / 65536);
        assert_in_range(t.w.wire.unsent_most, 1, 2 * 65536);
        free((char *)(uintptr_t)t.w.body.ptr);
        end(&t);
    }
}

static void a_body_that_cannot_be_read_is_deferred_without_a_final_dot(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.w.read_error = -EIO;
    deliver(&t, 1);
    assert_outcome(&t, 0, "could not be read", .kind = OUTCOME_DEFERRED, .status = {4, 3, 0});
    assert_taken(&t.a, "");
    assert_int_equal(t.b.connections, 0);
    end(&t);
}

static void a_message_too_big_for_the_server_is_not_sent(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.a.script.ehlo = "250-mx.example\r\n250 SIZE 10";
    deliver(&t, 1);
    assert_outcome(&t, 0, "takes no more than 10", .kind = OUTCOME_FAILED, .status = {5, 3, 4});
    end(&t);
}

static void smtputf8_is_left_out_where_nothing_needs_it(void **state)
{
    (void)state;
    static const struct {
        struct str body;
        bool relayed;
    } rows[] = {
        {STR_INIT("Subject: x\r\n\r\n.dot\r\n"), true},
        {STR_INIT("Subject: \xc3\xbc\r\n\r\nx\r\n"), false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct test t;
        begin(&t);
        t.w.body = rows[i].body;
        t.envelope.smtputf8 = true;
        deliver(&t, 1);
        if (rows[i].relayed) {
            assert_outcome(&t, 0, "taken", RELAYED);
        } else {
            assert_outcome(&t, 0, "SMTPUTF8", .kind = OUTCOME_FAILED, .status = {5, 6, 7});
        }
        end(&t);
    }
}

static void an_international_address_fails_alone_where_the_server_lacks_smtputf8(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    addresses[1] = STR("b\xc3\xbc@x.example");
    t.envelope.smtputf8 = true;
    deliver(&t, 2);
    addresses[1] = STR("b1@x.example");
    assert_outcome(&t, 0, "taken", RELAYED);
    assert_outcome(&t, 1, "SMTPUTF8", .kind = OUTCOME_FAILED, .status = {5, 6, 7});
    end(&t);
}

static void mail_declared_8bit_that_is_ascii_goes_to_any_server(void **state)
{
    (void)state;
    struct test t;
    begin(&t);
    t.envelope.body = BODY_8BITMIME;
    deliver(&t, 1);
    assert_outcome(&t, 0, "taken", RELAYED);
    assert_taken(&t.a, SENT);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_body_is_read_piece_by_piece_whatever_the_network_does),
        cmocka_unit_test(a_body_that_cannot_be_read_is_deferred_without_a_final_dot),
        cmocka_unit_test(a_message_too_big_for_the_server_is_not_sent),
        cmocka_unit_test(smtputf8_is_left_out_where_nothing_needs_it),
        cmocka_unit_test(an_international_address_fails_alone_where_the_server_lacks_smtputf8),
        cmocka_unit_test(mail_declared_8bit_that_is_ascii_goes_to_any_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
