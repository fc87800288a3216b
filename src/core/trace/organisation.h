/* organisation.h: whose a host name or address is, as far as that can be told without asking
 * anybody. The list of public suffixes is not here: the registered domain is guessed from the form
 * of names, which errs towards "the same". Texts are slices of the names given. */
#pragma once

#include "core/base/ip.h"

/* A name that the whole Internet could know: has a dot, letters, and no suffix of private use
 * (".local", ".lan", ".internal", "localhost.localdomain", …). */
bool name_is_public(struct str name);
/* "localhost" in one of its forms, or empty. */
bool name_is_localhost(struct str name);
/* Alike but for case and a dot at the end; empty ones are like nothing. */
bool names_equal(struct str a, struct str b);
/* "mail.example.co.uk": "example.co.uk"; of a name without a dot: itself. */
struct str registered_domain(struct str name);
/* The same registered domain, domains of one big provider, or one brand under two suffixes
 * ("sourceforge.net" and "sourceforge.com"). */
bool same_organisation(struct str a, struct str b);
/* A name that is made from an address: "dsl-203-0-113-9.isp.example". */
bool name_holds_address(struct str name, struct ip ip);

enum address_kind {
    ADDRESS_NONE,
    ADDRESS_PUBLIC,
    ADDRESS_HERE,          /* 127.0.0.0/8, ::1: the host itself */
    ADDRESS_PRIVATE,       /* RFC 1918, 4193, 6598; link-local */
    ADDRESS_DOCUMENTATION, /* RFC 5737, 3849 */
    ADDRESS_RESERVED,      /* RFC 2544: inside a house at most */
    ADDRESS_IMPOSSIBLE,    /* multicast, 0.0.0.0/8, 240.0.0.0/4, … */
};
enum address_kind address_kind(struct ip ip);
bool address_is_inside(struct ip ip); /* the host itself, private or reserved */
/* In one network as hosters deal them out: the same /24 or /48. */
bool addresses_near(struct ip a, struct ip b);
