/* received.h: one Received field as it is in the wild (RFC 5321 4.4, RFC 822 4.1, and what each
 * mail server makes of them). Whatever it holds is read as far as it makes sense: there is no
 * failure. Linear in the length; nothing is allocated; every text is a slice of the value given, so
 * that value must outlive the result. An empty text was not said. */
#pragma once

#include "core/base/ip.h"
#include "core/trace/received_date.h"
#include "core/trace/software.h"

struct received {
    struct str from; /* the word after "from", as it stands, without [ ] around an address */
    struct str helo; /* what the client called itself */
    struct str rdns; /* what the receiver found its address to be named */
    struct ip ip;    /* the client's address as the receiver saw it; IP_NONE: not said */
    struct str by;   /* the receiver */
    struct str via;  /* the link, or another protocol */
    struct str with; /* the protocol as it is registered ("ESMTPS"), else the word as it stands */
    struct str id;   /* without < > */
    struct str recipient; /* "for", without < > */
    struct str envelope_from;
    struct str
        ident; /* RFC 1413, or a name in its place; with "@" and its host where that is said */
    struct str auth;        /* who logged in, or how: "smtp.auth=anna", "CRAM-MD5", "yes" */
    struct str tls_version; /* "TLSv1.3", "TLS1_2": as it stands */
    struct str tls_cipher;
    struct received_date date;
    struct software_guess software;

    bool rdns_unknown;  /* the receiver says that the address has no name */
    bool rdns_verified; /* …or that name and address agree ("verified"); */
    bool may_be_forged; /* …or that they do not (sendmail) */
    bool no_helo;       /* the client said none: "(HELO )" */
    bool bad_ip;        /* something like an address stands where one should, and is none */
};

/* `value`: without the field's name; folded or not. */
void received_parse(struct str value, struct received *r);
