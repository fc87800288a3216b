/* Property: a message that parses iterates to as many records as it counts, twice the same; names
 * printed and read again are the same name; TXT data joins within its size. */
#include "core/dns/message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_name(const struct dns_name *name)
{
    struct buf text = {0};
    struct dns_name again;
    require(name->len >= 1);
    dns_name_format(&text, name);
    require(dns_name_parse(buf_str(&text), &again));
    require(dns_name_eq(name, &again));
    buf_done(&text);
}

static void check_record(const struct dns_record *record)
{
    check_name(&record->name);
    if (record->target.len > 0) {
        check_name(&record->target);
    }
    if (record->type == DNS_TXT && record->class == DNS_CLASS_IN) {
        struct buf text = {0};
        dns_record_text(&text, record);
        require(text.len < record->rdata.len);
        buf_done(&text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_message message;
    if (!dns_message_parse(str_from((const char *)data, size), &message)) {
        return 0;
    }
    if (message.has_question) {
        check_name(&message.question);
    }
    for (int section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++) {
        size_t count = 0;
        struct dns_record record;
        struct dns_record_iter it = dns_records_begin(&message, (enum dns_section)section);
        while (dns_record_next(&it, &record)) {
            check_record(&record);
            count++;
        }
        require(count == message.counts[section]);
    }
    return 0;
}
