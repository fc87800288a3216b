#include "config/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What no single key shows; "" : nothing is wrong. */
static void what_does_not_fit_together_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problem;
    } rows[] = {
        {"networks: [10.0.0.0/8]", ""},
        {"networks: [10.0.0.0/7]", "error: the network 10.0.0.0/7 would make this server an open"},
        {"networks: [\"2001::/16\"]", ""},
        {"networks: [\"2000::/15\"]", "error: the network 2000::/15 would make this server an"},
        {"networks: [\"::/0\"]", "error: the network ::/0 would make this server an open relay"},
        {"relay: open-relay-i-know\nnetworks: [0.0.0.0/0]", "warning: `relay: open-relay-i-know`"},
        {"queue: {retry: [1h], expire: 1h, delay_notice: 0}", ""},
        {"queue: {retry: [61m], expire: 1h, delay_notice: 0}", "warning: queue.expire is shorter"},
        {"queue: {expire: 1h, delay_notice: 61m}", "warning: queue.delay_notice is longer"},
        {"transports: [{match: \"*\", to: mx}, {match: a.example, to: mx}]",
         "warning: the transport for \"*\" hides those after it"},
        {"transports: [{match: a.example, to: mx}, {match: \"*\", to: mx}]", ""},
        {"listen: [{address: \"127.0.0.1:2525\"}]\n"
         "transports: [{match: \"*\", to: \"smtp://127.0.0.1:2525\"}]",
         "warning: the transport for \"*\" leads back to this server's own listener"},
        {"listen: [{address: \"127.0.0.1:2525\"}, {address: \"127.0.0.1:2526\"}]", ""},
        {"listen: [{address: \"127.0.0.1:25\"}, {address: \"127.0.0.1:25\", mode: submission}]",
         "error: `listen` has 127.0.0.1:25 twice"},
        {"listen: [{address: \"unix:/a\", mode: lmtp}, {address: \"unix:/a\", mode: lmtp}]",
         "error: `listen` has /a twice"},
        {"deliver: {source: []}", "error: deliver.source allows neither IPv4 nor IPv6"},
        {"control: /0123456789012345678901234567890123456789012345678901234567890123456789012345"
         "678901234567890123456789012345",
         ""},
        {"control: /0123456789012345678901234567890123456789012345678901234567890123456789012345"
         "6789012345678901234567890123456",
         "error: `control`: the path of a local socket has at most 107 octets"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct config_source source = {.file = STR("/f"),
                                       .text = str_from_cstr(rows[i].text),
                                       .hostname = STR("host.example"),
                                       .text_only = true};
        struct config_problems problems = {0};
        struct config *config = NULL;
        bool fine = config_load(&source, &config, &problems) == 0;
        struct str want = str_from_cstr(rows[i].problem);
        struct str got = problems.count > 0 ? problems.list[0].text : STR("");
        bool error = str_starts(want, STR("error: "));
        str_split(&want, ' ');
        bool right = want.len > 0 ? problems.count > 0 && str_starts(got, want) : got.len == 0;
        if (fine == error || !right) {
            fail_msg("%s\n%.*s", rows[i].text, STR_ARG(got));
        }
        config_drop(config);
        config_problems_done(&problems);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_does_not_fit_together_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
