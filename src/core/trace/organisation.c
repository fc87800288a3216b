#include "core/trace/organisation.h"

static struct str without_dot(struct str name)
{
    return name.len > 0 && name.ptr[name.len - 1] == '.' ? str_head(name, name.len - 1) : name;
}

static struct str last_label(struct str name)
{
    size_t dot = str_rfind(name, '.');
    return dot == STR_NONE ? name : str_tail(name, dot + 1);
}

static bool is_one_of(struct str word, const struct str *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq_nocase(word, words[i])) {
            return true;
        }
    }
    return false;
}

bool name_is_localhost(struct str name)
{
    static const struct str names[] = {STR_INIT("localhost"), STR_INIT("localhost.localdomain"),
                                       STR_INIT("localhost6"), STR_INIT("localhost.local")};
    name = without_dot(name);
    return name.len == 0 || is_one_of(name, names, ARRAY_LEN(names));
}

/* RFC 6762 appendix G, RFC 8375, RFC 9476, and what administrators make up. */
bool name_is_public(struct str name)
{
    static const struct str private[] = {
        STR_INIT("local"),    STR_INIT("localdomain"), STR_INIT("lan"),  STR_INIT("internal"),
        STR_INIT("intranet"), STR_INIT("intern"),      STR_INIT("corp"), STR_INIT("home"),
        STR_INIT("private"),  STR_INIT("localnet"),    STR_INIT("alt"),  STR_INIT("domain"),
        STR_INIT("arpa"),     STR_INIT("invalid"),     STR_INIT("loc"),  STR_INIT("dom"),
        STR_INIT("site"),     STR_INIT("reinject"),    STR_INIT("inc"),
    };
    name = without_dot(name);
    struct str top = last_label(name);
    if (top.len < 2 || top.len == name.len || name.ptr[0] == '.' ||
        is_one_of(top, private, ARRAY_LEN(private))) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!ascii_is_alnum(c) && c != '-' && c != '.' && c != '_' && !((unsigned char)c & 0x80)) {
            return false;
        }
    }
    return !ascii_is_digit(top.ptr[0]);
}

bool names_equal(struct str a, struct str b)
{
    a = without_dot(a);
    return a.len > 0 && str_eq_nocase(a, without_dot(b));
}

/* Second-level labels under which names are registered in many countries. */
static bool is_public_second(struct str label)
{
    static const struct str seconds[] = {
        STR_INIT("co"),  STR_INIT("com"), STR_INIT("net"),  STR_INIT("org"),  STR_INIT("edu"),
        STR_INIT("gov"), STR_INIT("gob"), STR_INIT("gouv"), STR_INIT("ac"),   STR_INIT("mil"),
        STR_INIT("ne"),  STR_INIT("or"),  STR_INIT("go"),   STR_INIT("gr"),   STR_INIT("ad"),
        STR_INIT("ed"),  STR_INIT("lg"),  STR_INIT("nom"),  STR_INIT("ltd"),  STR_INIT("plc"),
        STR_INIT("me"),  STR_INIT("sch"), STR_INIT("nhs"),  STR_INIT("id"),   STR_INIT("info"),
        STR_INIT("biz"), STR_INIT("web"), STR_INIT("firm"), STR_INIT("gen"),  STR_INIT("ind"),
        STR_INIT("nic"), STR_INIT("res"), STR_INIT("re"),   STR_INIT("pe"),   STR_INIT("art"),
        STR_INIT("asn"), STR_INIT("k12"), STR_INIT("govt"), STR_INIT("geek"), STR_INIT("in"),
        STR_INIT("my"),  STR_INIT("nsw"), STR_INIT("vic"),  STR_INIT("int"),  STR_INIT("police"),
    };
    return is_one_of(label, seconds, ARRAY_LEN(seconds));
}

struct str registered_domain(struct str name)
{
    name = without_dot(name);
    size_t labels = 0, at = name.len;
    struct str top = last_label(name);
    while (at > 0) {
        size_t dot = str_rfind(str_head(name, at), '.');
        size_t start = dot == STR_NONE ? 0 : dot + 1;
        labels++;
        struct str label = str_head(str_tail(name, start), at - start);
        bool suffix = labels == 1 || (labels == 2 && top.len == 2 && is_public_second(label));
        if (!suffix || start == 0) {
            return str_tail(name, start);
        }
        at = start - 1;
    }
    return name;
}

/* Domains that are one provider's. */
static const struct {
    struct str domain;
    unsigned provider;
} providers[] = {
    {STR_INIT("google.com"), 1},
    {STR_INIT("gmail.com"), 1},
    {STR_INIT("googlemail.com"), 1},
    {STR_INIT("1e100.net"), 1},
    {STR_INIT("googlegroups.com"), 1},
    {STR_INIT("outlook.com"), 2},
    {STR_INIT("office365.com"), 2},
    {STR_INIT("exchangelabs.com"), 2},
    {STR_INIT("hotmail.com"), 2},
    {STR_INIT("microsoft.com"), 2},
    {STR_INIT("live.com"), 2},
    {STR_INIT("msn.com"), 2},
    {STR_INIT("frontbridge.com"), 2},
    {STR_INIT("bigfish.com"), 2},
    {STR_INIT("yahoo.com"), 3},
    {STR_INIT("yahoodns.net"), 3},
    {STR_INIT("aol.com"), 3},
    {STR_INIT("rocketmail.com"), 3},
    {STR_INIT("apple.com"), 4},
    {STR_INIT("icloud.com"), 4},
    {STR_INIT("me.com"), 4},
    {STR_INIT("mac.com"), 4},
    {STR_INIT("pphosted.com"), 5},
    {STR_INIT("ppops.net"), 5},
    {STR_INIT("ppe-hosted.com"), 5},
    {STR_INIT("gpphosted.com"), 5},
    {STR_INIT("proofpoint.com"), 5},
    {STR_INIT("amazonses.com"), 6},
    {STR_INIT("amazonaws.com"), 6},
    {STR_INIT("amazon.com"), 6},
    {STR_INIT("kundenserver.de"), 7},
    {STR_INIT("1and1.com"), 7},
    {STR_INIT("perfora.net"), 7},
    {STR_INIT("gmx.net"), 7},
    {STR_INIT("gmx.com"), 7},
    {STR_INIT("gmx.de"), 7},
    {STR_INIT("web.de"), 7},
    {STR_INIT("ionos.com"), 7},
    {STR_INIT("mail.com"), 7},
    {STR_INIT("sendgrid.net"), 8},
    {STR_INIT("sendgrid.com"), 8},
    {STR_INIT("twilio.com"), 8},
    {STR_INIT("mailgun.net"), 9},
    {STR_INIT("mailgun.org"), 9},
    {STR_INIT("mailgun.info"), 9},
    {STR_INIT("mailgun.us"), 9},
    {STR_INIT("zoho.com"), 10},
    {STR_INIT("zohomail.com"), 10},
    {STR_INIT("zoho.eu"), 10},
    {STR_INIT("zohomail.eu"), 10},
    {STR_INIT("messagelabs.com"), 11},
    {STR_INIT("symanteccloud.com"), 11},
    {STR_INIT("yandex.net"), 12},
    {STR_INIT("yandex.ru"), 12},
    {STR_INIT("yandex.com"), 12},
    {STR_INIT("mcsv.net"), 13},
    {STR_INIT("mcdlv.net"), 13},
    {STR_INIT("rsgsv.net"), 13},
    {STR_INIT("mandrillapp.com"), 13},
    {STR_INIT("mailchimp.com"), 13},
    {STR_INIT("mailchimpapp.net"), 13},
    {STR_INIT("exacttarget.com"), 14},
    {STR_INIT("exct.net"), 14},
    {STR_INIT("salesforce.com"), 14},
    {STR_INIT("ovh.net"), 15},
    {STR_INIT("ovh.com"), 15},
    {STR_INIT("strato.de"), 16},
    {STR_INIT("rzone.de"), 16},
    {STR_INIT("messagingengine.com"), 17},
    {STR_INIT("fastmail.com"), 17},
    {STR_INIT("proton.me"), 18},
    {STR_INIT("protonmail.ch"), 18},
    {STR_INIT("protonmail.com"), 18},
    {STR_INIT("proton.ch"), 18},
    {STR_INIT("antispamcloud.com"), 19},
    {STR_INIT("mailspamprotection.com"), 19},
    {STR_INIT("sparkpostmail.com"), 20},
    {STR_INIT("sparkpost.com"), 20},
    {STR_INIT("comcast.net"), 22},
    {STR_INIT("attbi.com"), 22},
    {STR_INIT("mail.ru"), 23},
    {STR_INIT("mailru.com"), 23},
    {STR_INIT("free.fr"), 24},
    {STR_INIT("proxad.net"), 24},
};

static unsigned provider_of(struct str domain)
{
    for (size_t i = 0; i < ARRAY_LEN(providers); i++) {
        if (str_eq_nocase(domain, providers[i].domain)) {
            return providers[i].provider;
        }
    }
    return 0;
}

/* "sourceforge" of "sourceforge.net", if it is long enough to mean one owner. */
static struct str brand_of(struct str domain)
{
    enum { BRAND_MIN = 5 };
    struct str rest = domain;
    struct str brand = str_split(&rest, '.');
    return brand.len >= BRAND_MIN && rest.len > 0 ? brand : (struct str){0};
}

bool same_organisation(struct str a, struct str b)
{
    a = registered_domain(a);
    b = registered_domain(b);
    if (a.len == 0 || b.len == 0) {
        return false;
    }
    unsigned provider = provider_of(a);
    return str_eq_nocase(a, b) || names_equal(brand_of(a), brand_of(b)) ||
           (provider != 0 && provider == provider_of(b));
}

bool name_holds_address(struct str name, struct ip ip)
{
    if (ip.family != IP_V4) {
        return false;
    }
    size_t found = 0; /* octets of the address, as numbers of the name, in any order */
    unsigned seen = 0;
    for (size_t at = 0; at < name.len;) {
        size_t start = at;
        unsigned number = 0;
        while (at < name.len && ascii_is_digit(name.ptr[at]) && at - start < 3) {
            number = number * 10 + (unsigned)(name.ptr[at++] - '0');
        }
        for (unsigned i = 0; at > start && i < 4; i++) {
            if (!(seen & 1U << i) && ip.bytes[i] == number) {
                seen |= 1U << i;
                found++;
                break;
            }
        }
        at += at == start;
    }
    return found >= 3;
}

static const struct {
    struct network net;
    enum address_kind kind;
} special[] = {
    {{{IP_V4, {127}}, 8}, ADDRESS_HERE},
    {{{IP_V4, {10}}, 8}, ADDRESS_PRIVATE},
    {{{IP_V4, {172, 16}}, 12}, ADDRESS_PRIVATE},
    {{{IP_V4, {192, 168}}, 16}, ADDRESS_PRIVATE},
    {{{IP_V4, {100, 64}}, 10}, ADDRESS_PRIVATE},
    {{{IP_V4, {169, 254}}, 16}, ADDRESS_PRIVATE},
    {{{IP_V4, {198, 18}}, 15}, ADDRESS_RESERVED},
    {{{IP_V4, {192, 0, 2}}, 24}, ADDRESS_DOCUMENTATION},
    {{{IP_V4, {198, 51, 100}}, 24}, ADDRESS_DOCUMENTATION},
    {{{IP_V4, {203, 0, 113}}, 24}, ADDRESS_DOCUMENTATION},
    {{{IP_V4, {0}}, 8}, ADDRESS_IMPOSSIBLE},
    {{{IP_V4, {224}}, 3}, ADDRESS_IMPOSSIBLE},
    {{{IP_V6, {[15] = 1}}, 128}, ADDRESS_HERE},
    {{{IP_V6, {0xfc}}, 7}, ADDRESS_PRIVATE},
    {{{IP_V6, {0xfe, 0x80}}, 10}, ADDRESS_PRIVATE},
    {{{IP_V6, {0xfe, 0xc0}}, 10}, ADDRESS_PRIVATE},
    {{{IP_V6, {0x20, 0x02, 10}}, 24}, ADDRESS_PRIVATE}, /* 6to4 of 10.0.0.0/8: Google's relays */
    {{{IP_V6, {0x20, 0x01, 0x0d, 0xb8}}, 32}, ADDRESS_DOCUMENTATION},
    {{{IP_V6, {0x3f, 0xff}}, 20}, ADDRESS_DOCUMENTATION},
    {{{IP_V6, {0xff}}, 8}, ADDRESS_IMPOSSIBLE},
    {{{IP_V6, {0}}, 128}, ADDRESS_IMPOSSIBLE},
};

enum address_kind address_kind(struct ip ip)
{
    ip = ip_unmap(ip);
    if (ip.family == IP_NONE) {
        return ADDRESS_NONE;
    }
    for (size_t i = 0; i < ARRAY_LEN(special); i++) {
        if (network_contains(special[i].net, ip)) {
            return special[i].kind;
        }
    }
    return ADDRESS_PUBLIC;
}

bool address_is_inside(struct ip ip)
{
    enum address_kind kind = address_kind(ip);
    return kind == ADDRESS_HERE || kind == ADDRESS_PRIVATE || kind == ADDRESS_RESERVED;
}

bool addresses_near(struct ip a, struct ip b)
{
    enum { NEAR_V4 = 24, NEAR_V6 = 48 };
    a = ip_unmap(a);
    b = ip_unmap(b);
    struct network net = {a, a.family == IP_V4 ? NEAR_V4 : NEAR_V6};
    return a.family != IP_NONE && network_contains(net, b);
}
