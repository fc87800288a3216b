/* build.h: DNS answers made, for the simulated resolver and tests. Failures of memory stick in
 * `out.failed`. The owner name of a record is compressed where it is the question's. */
#pragma once

#include "core/dns/message.h"

struct dns_build {
    struct buf out; /* the message as far as it got; the caller's to free */
    struct dns_name question;
    enum dns_section section;
};

void dns_build_start(struct dns_build *b, const struct dns_name *name, uint16_t type,
                     enum dns_rcode rcode);
/* Records added from now on stand in that section; sections go in order only. */
void dns_build_section(struct dns_build *b, enum dns_section section);
void dns_build_ip(struct dns_build *b, const struct dns_name *owner, struct ip ip);
/* CNAME, PTR, NS: any type whose data is a name. */
void dns_build_name(struct dns_build *b, const struct dns_name *owner, uint16_t type,
                    const struct dns_name *target);
void dns_build_mx(struct dns_build *b, const struct dns_name *owner, uint16_t preference,
                  const struct dns_name *target);
void dns_build_text(struct dns_build *b, const struct dns_name *owner, struct str text);
/* An SOA as negative answers carry it. */
void dns_build_soa(struct dns_build *b, const struct dns_name *owner);
void dns_build_raw(struct dns_build *b, const struct dns_name *owner, uint16_t type,
                   struct str rdata);
