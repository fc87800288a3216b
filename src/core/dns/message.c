#include "core/dns/message.h"

#include <string.h>

enum { HEADER_LEN = 12, POINTER = 0xc0 };

/* A cursor over the message in network order; the first failure sticks. */
struct reader {
    struct str bytes;
    size_t at;
    bool failed;
};

static uint32_t get(struct reader *r, unsigned octets)
{
    if (r->failed || r->bytes.len - r->at < octets) {
        r->failed = true;
        return 0;
    }
    uint32_t value = 0;
    for (unsigned i = 0; i < octets; i++) {
        value = value << 8 | (uint8_t)r->bytes.ptr[r->at++];
    }
    return value;
}

static struct str get_bytes(struct reader *r, size_t len)
{
    if (r->failed || r->bytes.len - r->at < len) {
        r->failed = true;
        return (struct str){0};
    }
    struct str taken = str_from(r->bytes.ptr + r->at, len);
    r->at += len;
    return taken;
}

static void append_label(struct reader *r, struct dns_name *name, uint8_t len)
{
    struct str label = get_bytes(r, len);
    /* The root label needs an octet after this one. */
    if (r->failed || (size_t)name->len + 1 + len > DNS_NAME_MAX - (len > 0 ? 1U : 0U)) {
        r->failed = true;
        return;
    }
    name->wire[name->len++] = len;
    if (len > 0) {
        memcpy(name->wire + name->len, label.ptr, len);
        name->len = (uint8_t)(name->len + len);
    }
}

/* A name, perhaps compressed (RFC 1035 4.1.4). A pointer must lead before the piece that it ends,
 * so each one leads further back and there is no circle. */
static struct dns_name get_name(struct reader *r)
{
    struct dns_name name = {0};
    struct reader piece = *r; /* follows pointers, while `r` stays behind the first one */
    size_t piece_at = r->at;
    bool jumped = false;
    for (bool end = false; !end && !piece.failed;) {
        uint8_t len = (uint8_t)get(&piece, 1);
        if ((len & POINTER) == POINTER) {
            size_t target = (size_t)(len & ~POINTER) << 8 | get(&piece, 1);
            if (!jumped) {
                r->at = piece.at;
                jumped = true;
            }
            if (target < HEADER_LEN || target >= piece_at) {
                piece.failed = true;
            }
            piece.at = piece_at = piece.failed ? piece.at : target;
        } else if (len & POINTER) {
            piece.failed = true; /* label types that nobody defined to an end */
        } else {
            append_label(&piece, &name, len);
            end = len == 0;
        }
    }
    if (!jumped) {
        r->at = piece.at;
    }
    if (piece.failed || r->failed) {
        r->failed = true;
        name.len = 0;
    }
    return name;
}

static void get_ip(struct reader *r, struct dns_record *record, enum ip_family family, size_t len)
{
    struct str bytes = get_bytes(r, len);
    if (!r->failed) {
        record->ip.family = family;
        memcpy(record->ip.bytes, bytes.ptr, len);
    }
}

static void get_soa(struct reader *r, struct dns_record *record)
{
    record->target = get_name(r);
    record->soa.contact = get_name(r);
    record->soa.serial = get(r, 4);
    record->soa.refresh = get(r, 4);
    record->soa.retry = get(r, 4);
    record->soa.expire = get(r, 4);
    record->soa.minimum = get(r, 4);
}

/* Strings of a length octet each, at least one, nothing left over. */
static void check_strings(struct reader *r, size_t end)
{
    do {
        (void)get_bytes(r, get(r, 1));
    } while (!r->failed && r->at < end);
}

/* The typed value of a record whose data is the next `len` octets. */
static void get_value(struct reader *r, struct dns_record *record, size_t len)
{
    size_t end = r->at + len;
    switch (record->type) {
    case DNS_A:
        get_ip(r, record, IP_V4, 4);
        break;
    case DNS_AAAA:
        get_ip(r, record, IP_V6, 16);
        break;
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR:
        record->target = get_name(r);
        break;
    case DNS_MX:
        record->preference = (uint16_t)get(r, 2);
        record->target = get_name(r);
        break;
    case DNS_SOA:
        get_soa(r, record);
        break;
    case DNS_TXT:
        check_strings(r, end);
        break;
    case DNS_TLSA:
        record->tlsa.usage = (uint8_t)get(r, 1);
        record->tlsa.selector = (uint8_t)get(r, 1);
        record->tlsa.matching = (uint8_t)get(r, 1);
        record->tlsa.data = get_bytes(r, len < 3 ? 0 : len - 3);
        break;
    default:
        (void)get_bytes(r, len);
        break;
    }
    if (r->at != end) {
        r->failed = true;
    }
}

static void get_record(struct reader *r, struct dns_record *record)
{
    memset(record, 0, sizeof *record);
    record->name = get_name(r);
    record->type = (uint16_t)get(r, 2);
    record->class = (uint16_t)get(r, 2);
    record->ttl = get(r, 4);
    size_t len = get(r, 2);
    struct reader value = *r;
    record->rdata = get_bytes(r, len);
    /* In other classes the types mean other things; OPT keeps a size where the class stands. */
    if (!r->failed && record->class == DNS_CLASS_IN) {
        value.bytes.len = r->at;
        get_value(&value, record, len);
        r->failed = value.failed;
    }
}

static void get_header(struct reader *r, struct dns_message *m)
{
    m->id = (uint16_t)get(r, 2);
    uint32_t flags = get(r, 2);
    m->response = flags & 0x8000;
    m->authoritative = flags & 0x0400;
    m->truncated = flags & 0x0200;
    m->recursion_available = flags & 0x0080;
    m->authentic_data = flags & 0x0020;
    m->rcode = flags & 0x0f;
}

bool dns_message_parse(struct str bytes, struct dns_message *message)
{
    struct dns_message m = {.bytes = bytes};
    struct reader r = {.bytes = bytes};
    get_header(&r, &m);
    uint32_t questions = get(&r, 2);
    for (int section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++) {
        m.counts[section] = (uint16_t)get(&r, 2);
    }
    for (uint32_t i = 0; i < questions && !r.failed; i++) {
        struct dns_name name = get_name(&r);
        uint16_t type = (uint16_t)get(&r, 2);
        (void)get(&r, 2);
        if (i == 0) {
            m.has_question = true;
            m.question = name;
            m.question_type = type;
        }
    }
    for (int section = DNS_ANSWER; section <= DNS_ADDITIONAL; section++) {
        m.section_at[section] = r.at;
        for (uint32_t i = 0; i < m.counts[section] && !r.failed; i++) {
            struct dns_record record;
            get_record(&r, &record);
        }
    }
    if (r.failed) {
        return false;
    }
    *message = m;
    return true;
}

struct dns_record_iter dns_records_begin(const struct dns_message *message,
                                         enum dns_section section)
{
    return (struct dns_record_iter){message, message->section_at[section],
                                    message->counts[section]};
}

bool dns_record_next(struct dns_record_iter *it, struct dns_record *record)
{
    if (it->left == 0) {
        return false;
    }
    struct reader r = {.bytes = it->message->bytes, .at = it->at};
    get_record(&r, record);
    it->at = r.at;
    it->left--;
    return !r.failed; /* parsing saw that it is well; this guards changed memory */
}

void dns_record_text(struct buf *out, const struct dns_record *record)
{
    for (size_t at = 0; at < record->rdata.len;) {
        size_t len = (uint8_t)record->rdata.ptr[at];
        struct str string = str_head(str_tail(record->rdata, at + 1), len);
        buf_add(out, string);
        at += 1 + len;
    }
}

struct str dns_type_text(uint16_t type, struct arena *arena)
{
    static const struct {
        uint16_t type;
        struct str text;
    } names[] = {
        {DNS_A, STR_INIT("A")},     {DNS_NS, STR_INIT("NS")},     {DNS_CNAME, STR_INIT("CNAME")},
        {DNS_SOA, STR_INIT("SOA")}, {DNS_PTR, STR_INIT("PTR")},   {DNS_MX, STR_INIT("MX")},
        {DNS_TXT, STR_INIT("TXT")}, {DNS_AAAA, STR_INIT("AAAA")}, {DNS_TLSA, STR_INIT("TLSA")},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].type == type) {
            return names[i].text;
        }
    }
    return arena_format(arena, "TYPE%u", (unsigned)type);
}
