/* Whatever a record says, the check ends: after a bounded number of questions, with a result and a
 * reason, the same one when it is run again. Everybody in this DNS publishes the same record. */
#include "core/dns/build.h"
#include "core/mailauth/spf.h"

#include <stdio.h>
#include <stdlib.h>

enum { QUESTIONS_MAX = 300, MANY = 12 };

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Twelve of each kind; addresses and names depend on the question's length, some do not exist. */
static void answer(struct buf *out, const struct dns_question *question, struct str record)
{
    struct dns_build b;
    struct dns_name name;
    struct dns_name target;
    must(dns_name_parse(question->name, &name));
    bool gone = question->name.len % 7 == 6 && question->type != DNS_TXT;
    dns_build_start(&b, &name, question->type, gone ? DNS_NXDOMAIN : DNS_NOERROR);
    if (question->type == DNS_TXT) {
        dns_build_text(&b, &name, record);
    }
    for (unsigned i = 0; i < MANY && !gone && question->type != DNS_TXT; i++) {
        char text[32];
        struct ip ip = {.family = question->type == DNS_AAAA ? IP_V6 : IP_V4};
        ip.bytes[0] = (uint8_t)question->name.len;
        ip.bytes[3] = (uint8_t)i;
        (void)snprintf(text, sizeof text, "h%u.example.org", i);
        must(dns_name_parse(str_from_cstr(text), &target));
        if (question->type == DNS_MX) {
            dns_build_mx(&b, &name, 1, &target);
        } else if (question->type == DNS_PTR) {
            dns_build_name(&b, &name, DNS_PTR, &target);
        } else {
            dns_build_ip(&b, &name, ip);
        }
    }
    *out = b.out;
}

static enum spf_result check(struct str record, enum ip_family family)
{
    struct arena arena = {0};
    struct spf spf;
    struct spf_request request = {.ip = {.family = family, .bytes = {14, 0, 0, 3}},
                                  .sender = STR("some-one@sub.example.org"),
                                  .helo = STR("helo.example.org")};
    size_t asked = 0;
    spf_start(&spf, &arena, &request);
    for (struct dns_question question; spf_question(&spf, &question); asked++) {
        struct buf message;
        answer(&message, &question, record);
        spf_answer(&spf, &(struct dns_answer){.message = buf_str(&message)});
        buf_done(&message);
        must(asked < QUESTIONS_MAX);
    }
    enum spf_result result = spf.result;
    must(result != SPF_OPEN && spf.reason.len > 0 && spf.lookups <= SPF_LOOKUPS_MAX);
    must(spf.explanation.len == 0 || result == SPF_FAIL);
    arena_done(&arena);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str record = str_from((const char *)data, size < 40000 ? size : 40000);
    must(check(record, IP_V4) == check(record, IP_V4));
    (void)check(record, IP_V6);
    return 0;
}
