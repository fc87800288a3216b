/* ip.h: Internet addresses, networks and endpoints, as values. Text forms: IPv4 dotted quad without
 * leading zeros (RFC 5321 4.1.3's Snum), IPv6 per RFC 4291 2.2, printed per RFC 5952. */
#pragma once

#include "core/base/buf.h"

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ip {
    enum ip_family family;
    uint8_t bytes[16]; /* network order; 4 used by IPv4 */
};

struct endpoint {
    struct ip ip;
    uint16_t port;
};

/* A network in CIDR form. `prefix` bits of `ip` count. */
struct network {
    struct ip ip;
    uint8_t prefix;
};

NODISCARD bool ip_parse(struct str text, struct ip *ip); /* either family, no brackets, no scope */
NODISCARD bool ip_parse_v4(struct str text, struct ip *ip);
NODISCARD bool ip_parse_v6(struct str text, struct ip *ip);
void ip_format(struct buf *out, struct ip ip);
/* Fixed memory for a text form, for logs: IP_TEXT_MAX holds any; NUL-terminated. */
enum { IP_TEXT_MAX = 46 };
struct str ip_text(struct ip ip, char out[IP_TEXT_MAX]);
bool ip_eq(struct ip a, struct ip b);
/* An IPv4-mapped IPv6 address (::ffff:a.b.c.d) as the IPv4 address it is; others unchanged. */
struct ip ip_unmap(struct ip ip);
/* The name under which its PTR record stands: "7.113.0.203.in-addr.arpa", "…ip6.arpa". */
void ip_reverse_name(struct buf *out, struct ip ip);

/* "192.0.2.0/24", "2001:db8::/32", or an address alone for one host. */
NODISCARD bool network_parse(struct str text, struct network *net);
bool network_contains(struct network net, struct ip ip);

/* "192.0.2.1:25", "[2001:db8::1]:25". */
NODISCARD bool endpoint_parse(struct str text, struct endpoint *e);
void endpoint_format(struct buf *out, struct endpoint e);
