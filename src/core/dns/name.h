/* name.h: domain names as the DNS carries them (RFC 1035 3.1): labels of 1 to 63 octets, 255 octets
 * in all, any octet allowed. Held uncompressed, as a value. */
#pragma once

#include "core/base/arena.h"
#include "core/base/buf.h"

enum { DNS_NAME_MAX = 255, DNS_LABEL_MAX = 63 };

struct dns_name {
    uint8_t len; /* octets of `wire`, the root label's included; 0: no name at all */
    uint8_t wire[DNS_NAME_MAX];
};

/* "mx.example.org", with or without the final dot; "." is the root. "\." and "\DDD" stand for
 * octets, as in RFC 1035 5.1. False: no name. */
NODISCARD bool dns_name_parse(struct str text, struct dns_name *name);
/* Without the final dot, letters as they came, odd octets as "\DDD"; the root is ".". */
void dns_name_format(struct buf *out, const struct dns_name *name);
struct str dns_name_text(const struct dns_name *name, struct arena *arena);
bool dns_name_eq(const struct dns_name *a, const struct dns_name *b); /* ASCII letters alike */
bool dns_name_is_root(const struct dns_name *name);
/* Of names as text, without final dots: whether `name` is `domain` or below it. */
bool dns_text_within(struct str name, struct str domain);
