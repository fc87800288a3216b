/* A header, a NUL, and a record that every domain has: From names one domain or none, in a form
 * that the DNS can be asked about, and the verdict comes after a few questions, with a reason. */
#include "core/dns/build.h"
#include "core/mailauth/dmarc.h"

#include <stdlib.h>

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void run(struct dmarc *d, struct arena *arena, struct str from, struct str record)
{
    struct dmarc_identifier passed = {STR("a.example"), STR("a.example"), true};
    struct dmarc_request request = {from, STR("a.example"), &passed, 1, false};
    size_t asked = 0;
    dmarc_start(d, arena, &request);
    for (struct dns_question question; dmarc_question(d, &question); asked++) {
        struct dns_build b;
        struct dns_name name;
        must(dns_name_parse(question.name, &name) && asked < 2);
        dns_build_start(&b, &name, DNS_TXT, DNS_NOERROR);
        dns_build_text(&b, &name, record);
        dmarc_answer(d, &(struct dns_answer){.message = buf_str(&b.out)});
        buf_done(&b.out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str record = str_from((const char *)data, size < 40000 ? size : 40000);
    struct str header = str_split(&record, '\0');
    struct arena arena = {0};
    struct dmarc d;
    struct str domain;
    enum dmarc_from_finding finding = dmarc_from(header, &arena, &domain);
    if (finding == DMARC_FROM_GOOD) {
        must(domain.len > 0 && str_find(domain, '@') == STR_NONE);
        run(&d, &arena, domain, record);
    } else {
        dmarc_refuse(&d, finding);
    }
    must(d.result != DMARC_OPEN && d.reason.len > 0);
    arena_done(&arena);
    return 0;
}
