/* header_filter.h: watches a message's header as it streams through: counts Received fields, finds
 * loops, notes what a submitted message lacks, and takes out what must not leave with it: Bcc
 * fields, and a Return-Path, which only the last server writes (RFC 5321 4.4). The body passes
 * untouched. Fixed memory; pieces may be cut anywhere. */
#pragma once

#include "core/mail/envelope.h"

enum {
    HEADER_NAME_KEPT = 24,
    HEADER_VALUE_KEPT = 330,
    HEADER_DELIVERED_MAX = 100,
    HEADER_FROM_KEPT = 2048
};

struct header_filter {
    const struct envelope *envelope; /* whose recipients a Delivered-To must not name */
    bool submitted;
    uint32_t received;   /* Received fields so far */
    bool delivered_here; /* a Delivered-To names a recipient: a loop */
    bool has_date, has_message_id, has_from;
    bool tls_optional; /* "TLS-Required: No" */
    bool in_body;
    uint32_t froms;  /* From fields so far */
    bool from_cut;   /* more than is kept */
    size_t from_len; /* of their values */
    char from[HEADER_FROM_KEPT];

    /* Its own: */
    uint8_t state;
    bool dropping;
    bool keeping; /* the value of Delivered-To, or of TLS-Required */
    bool keeping_required;
    bool keeping_from;
    uint32_t delivered;
    size_t name_len, value_len;
    char name[HEADER_NAME_KEPT];
    char value[HEADER_VALUE_KEPT];
};

/* Zeroed memory but for `envelope` and `submitted` is a filter at the start. Takes bytes off
 * `*bytes`;
 * `*piece` is what goes on, good until the next call. False: all were used, nothing goes on. */
NODISCARD bool header_filter_take(struct header_filter *f, struct str *bytes, struct str *piece);
/* The message is over: what was held back. */
NODISCARD bool header_filter_end(struct header_filter *f, struct str *piece);
