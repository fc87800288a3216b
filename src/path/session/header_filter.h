/* header_filter.h: watches a message's header as it streams through: counts Received fields, finds
 * loops, notes what a submitted message lacks, and takes out what must not leave with it: Bcc
 * fields, and a Return-Path, which only the last server writes (RFC 5321 4.4). Addresses are made
 * whole up to the first Received or DKIM-Signature: what has come a way already, and what is
 * signed, is not ours to change. The body passes untouched. Fixed memory; pieces may be cut
 * anywhere. */
#pragma once

#include "core/mail/completer.h"
#include "core/mail/envelope.h"

enum {
    HEADER_NAME_KEPT = 32,
    HEADER_VALUE_KEPT = 330,
    HEADER_DELIVERED_MAX = 100,
    HEADER_AUTHORS_MAX = 8,
    HEADER_AUTHORS_KEPT = 3072
};

/* The fields that say whose a message is (RFC 5322 3.6.2, 3.6.6). */
enum header_author {
    AUTHOR_FROM,
    AUTHOR_SENDER,
    AUTHOR_RESENT_FROM,
    AUTHOR_RESENT_SENDER,
    AUTHORS
};

/* Such fields of one message: their values, one after the other. */
struct header_authors {
    bool cut; /* there is more than is kept */
    uint8_t count;
    struct {
        uint8_t author; /* enum header_author */
        uint16_t end;   /* of its value in `text` */
    } fields[HEADER_AUTHORS_MAX];
    char text[HEADER_AUTHORS_KEPT];
};

struct header_filter {
    const struct envelope *envelope; /* whose recipients a Delivered-To must not name */
    bool submitted;
    struct completer completer; /* `completion` is the caller's; null: nothing is */
    uint32_t received;          /* Received fields so far */
    bool delivered_here;        /* a Delivered-To names a recipient: a loop */
    bool has_date, has_message_id;
    bool tls_optional; /* "TLS-Required: No" */
    bool in_body;
    struct header_authors authors;

    /* Its own: */
    uint8_t state;
    bool dropping;
    bool keeping; /* the value of Delivered-To, or of TLS-Required */
    bool keeping_required;
    bool keeping_author;
    bool completing;
    bool sealed; /* a signature was seen: no address is completed */
    uint32_t delivered;
    size_t name_len, value_len;
    char name[HEADER_NAME_KEPT];
    char value[HEADER_VALUE_KEPT];
};

/* Zeroed memory but for `envelope`, `submitted` and the completer's `completion` is a filter at the
 * start. Takes bytes off
 * `*bytes`;
 * `*piece` is what goes on, good until the next call. False: all were used, nothing goes on. */
NODISCARD bool header_filter_take(struct header_filter *f, struct str *bytes, struct str *piece);
/* The message is over: what was held back. */
NODISCARD bool header_filter_end(struct header_filter *f, struct str *piece);

struct str header_author_name(enum header_author author); /* "From" */
/* The value of field `i` of `authors->count`, as it stands, with its line ends. */
struct str header_author_value(const struct header_authors *authors, size_t i);
