#include "sim/zone.h"

#include <stdio.h>
#include <stdlib.h>

enum { CHASE_MAX = 11 }; /* as libunbound's MAX_RESTART_COUNT */

static _Noreturn void stop(const char *why, const char *what)
{
    (void)fprintf(stderr, "zone: %s: %s\n", why, what);
    abort();
}

void zone_done(struct zone *z)
{
    arena_done(&z->arena);
    *z = (struct zone){0};
}

static struct zone_entry *append(struct zone *z, struct str name)
{
    struct zone_entry *entry = ARENA_NEW(&z->arena, struct zone_entry);
    if (!entry) {
        stop("no memory", "");
    }
    entry->name = arena_copy(&z->arena, name);
    if (z->last) {
        z->last->next = entry;
    } else {
        z->first = entry;
    }
    z->last = entry;
    return entry;
}

static uint16_t type_of(struct str text)
{
    static const uint16_t types[] = {DNS_A,  DNS_NS,  DNS_CNAME, DNS_PTR,
                                     DNS_MX, DNS_TXT, DNS_AAAA,  DNS_TLSA};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (str_eq(dns_type_text(types[i], NULL), text)) {
            return types[i];
        }
    }
    return 0;
}

void zone_add(struct zone *z, const char *line)
{
    struct str rest = str_from_cstr(line);
    struct str name = str_split(&rest, ' ');
    uint16_t type = type_of(str_split(&rest, ' '));
    if (type == 0 || rest.len == 0) {
        stop("not understood", line);
    }
    struct zone_entry *entry = append(z, name);
    entry->type = type;
    entry->data = arena_copy(&z->arena, rest);
}

void zone_break(struct zone *z, const char *name, uint16_t type, enum zone_fault fault)
{
    struct zone_entry *entry = append(z, str_from_cstr(name));
    entry->type = type;
    entry->fault = fault;
    entry->is_fault = true;
}

void zone_delay(struct zone *z, const char *name, struct span late)
{
    struct zone_entry *entry = append(z, str_from_cstr(name));
    entry->late = late;
    entry->is_fault = true;
}

static struct dns_name name_of(struct str text)
{
    struct dns_name name;
    if (!dns_name_parse(text, &name)) {
        stop("no DNS name", arena_copy(&(struct arena){0}, text).ptr);
    }
    return name;
}

/* "3 1 1 0123ab…" */
static void add_tlsa(struct dns_build *b, const struct dns_name *owner, struct str data)
{
    struct str digits = STR("0123456789abcdef");
    struct buf rdata = {0};
    for (int i = 0; i < 3; i++) {
        uint64_t number = 0;
        if (!str_to_u64(str_split(&data, ' '), UINT8_MAX, &number)) {
            stop("no TLSA", data.ptr);
        }
        buf_add_char(&rdata, (char)number);
    }
    for (; data.len >= 2; data = str_tail(data, 2)) {
        size_t high = str_find(digits, data.ptr[0]);
        size_t low = str_find(digits, data.ptr[1]);
        buf_add_char(&rdata, (char)(high * 16 + low));
    }
    dns_build_raw(b, owner, DNS_TLSA, buf_str(&rdata));
    buf_done(&rdata);
}

static void add_record(struct dns_build *b, const struct zone_entry *entry)
{
    struct dns_name owner = name_of(entry->name);
    struct str data = entry->data;
    struct dns_name target;
    struct ip ip;
    uint64_t preference = 0;
    switch (entry->type) {
    case DNS_A:
    case DNS_AAAA:
        if (!ip_parse(data, &ip)) {
            stop("no address", entry->data.ptr);
        }
        dns_build_ip(b, &owner, ip);
        break;
    case DNS_MX:
        if (!str_to_u64(str_split(&data, ' '), UINT16_MAX, &preference)) {
            stop("no preference", entry->data.ptr);
        }
        target = name_of(data);
        dns_build_mx(b, &owner, (uint16_t)preference, &target);
        break;
    case DNS_TLSA:
        add_tlsa(b, &owner, data);
        break;
    case DNS_TXT:
        dns_build_text(b, &owner, data);
        break;
    default:
        target = name_of(data);
        dns_build_name(b, &owner, entry->type, &target);
        break;
    }
}

/* Adds the records of that name and type; the result is how many. */
static size_t add_matching(const struct zone *z, struct dns_build *b, struct str name,
                           uint16_t type)
{
    size_t count = 0;
    for (const struct zone_entry *e = z->first; e; e = e->next) {
        if (!e->is_fault && e->type == type && str_eq_nocase(e->name, name)) {
            add_record(b, e);
            count++;
        }
    }
    return count;
}

static struct str cname_of(const struct zone *z, struct str name)
{
    for (const struct zone_entry *e = z->first; e; e = e->next) {
        if (!e->is_fault && e->type == DNS_CNAME && str_eq_nocase(e->name, name)) {
            return e->data;
        }
    }
    return (struct str){0};
}

/* A name exists if it or one below it has a record. */
static bool exists(const struct zone *z, struct str name)
{
    for (const struct zone_entry *e = z->first; e; e = e->next) {
        bool below = e->name.len > name.len && str_ends_nocase(e->name, name) &&
                     e->name.ptr[e->name.len - name.len - 1] == '.';
        if (!e->is_fault && (below || str_eq_nocase(e->name, name))) {
            return true;
        }
    }
    return false;
}

static enum zone_fault fault_of(const struct zone *z, struct str name, uint16_t type,
                                struct span *late)
{
    enum zone_fault fault = ZONE_NO_FAULT;
    for (const struct zone_entry *e = z->first; e; e = e->next) {
        if (!e->is_fault || !str_eq_nocase(e->name, name) || (e->type != 0 && e->type != type)) {
            continue;
        }
        if (e->late.us > 0) {
            late->us += e->late.us;
        } else {
            fault = e->fault;
        }
    }
    return fault;
}

static void set_rcode(struct dns_build *b, enum dns_rcode rcode)
{
    if (!b->out.failed) {
        b->out.ptr[3] = (char)(((unsigned char)b->out.ptr[3] & 0xf0) | (unsigned)rcode);
    }
}

/* Walks the CNAMEs and adds what stands at the end. */
static enum zone_fault fill(const struct zone *z, struct dns_build *b, struct str name,
                            uint16_t type, struct zone_answer *answer)
{
    for (int hops = 0; hops <= CHASE_MAX; hops++) {
        enum zone_fault fault = fault_of(z, name, type, &answer->late);
        struct str cname = type == DNS_CNAME ? (struct str){0} : cname_of(z, name);
        if (fault != ZONE_NO_FAULT) {
            return fault;
        }
        if (cname.len == 0) {
            bool found = add_matching(z, b, name, type) > 0;
            if (!found) {
                struct dns_name apex = name_of(name);
                set_rcode(b, exists(z, name) ? DNS_NOERROR : DNS_NXDOMAIN);
                dns_build_section(b, DNS_AUTHORITY);
                dns_build_soa(b, &apex);
            }
            return ZONE_NO_FAULT;
        }
        (void)add_matching(z, b, name, DNS_CNAME);
        if (!z->chase) {
            return ZONE_NO_FAULT;
        }
        name = cname;
    }
    return ZONE_SERVFAIL;
}

void zone_ask(const struct zone *z, struct str name, uint16_t type, struct zone_answer *answer)
{
    struct dns_name asked = name_of(name);
    struct dns_build b;
    *answer = (struct zone_answer){0};
    dns_build_start(&b, &asked, type, DNS_NOERROR);
    answer->fault = fill(z, &b, name, type, answer);
    if (answer->fault == ZONE_SERVFAIL || answer->fault == ZONE_REFUSED) {
        buf_done(&b.out);
        dns_build_start(&b, &asked, type,
                        answer->fault == ZONE_SERVFAIL ? DNS_SERVFAIL : DNS_REFUSED);
    } else if (answer->fault == ZONE_GARBAGE) {
        buf_clear(&b.out);
        buf_add(&b.out, STR("\xff\xff\x81\x80\0\1\xff\xff garbage"));
    } else if (answer->fault == ZONE_WRONG) {
        struct dns_name other = name_of(STR("other.invalid"));
        buf_done(&b.out);
        dns_build_start(&b, &other, type, DNS_NXDOMAIN);
    }
    answer->message = b.out;
}
