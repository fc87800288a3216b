/* report_inside.h: what the files of this folder share: a report being made. */
#pragma once

#include "core/base/buf.h"
#include "path/report/report.h"

enum {
    REPORT_RETURN_MAX = 1 << 20,  /* a larger message is not returned whole */
    REPORT_HEADER_MAX = 256 << 10 /* of a returned header */
};

struct making {
    struct report_office *office;
    struct queue_report *ask;
    struct str to;      /* whom it goes to */
    bool double_bounce; /* to the postmaster, in place of a sender that there is not */
    bool whole;         /* the message is returned, not its header alone */
    bool global;        /* needs UTF-8 in addresses or headers: RFC 6533 */
    bool eight_bit;     /* some part has octets above 127 */
    struct instant now;
    struct queue_id id;
    struct buf original; /* additions and what was read of the body */
    struct buf boundary;
    struct buf text; /* the report */
    struct buf envelope;
    struct envelope sealed;
    struct envelope_rcpt rcpt;
    struct disk_op op;
    struct spool_put put;
    struct str piece;
    struct parcel parcel;
};

/* report_words.c: the part for people, with the Subject. */
const char *report_subject(const struct making *m);
void report_words(const struct making *m, struct buf *out);
/* report_fields.c: message/delivery-status (RFC 3464), or its global form (RFC 6533). */
void report_fields(const struct making *m, struct buf *out);

/* report_text.c */
bool text_is_ascii(struct str text);
/* What others wrote, fit for one line of ours: control characters and line ends become spaces, and
 * without `utf8` what is not ASCII becomes "?". */
void text_clean(struct buf *out, struct str text, bool utf8);
/* "Name: type; text", cleaned, folded at spaces before column 78 and anywhere before 900. */
struct text_field {
    const char *name;
    const char *type; /* "rfc822"; null: none */
    struct str text;
    bool utf8;
};
void text_add_field(struct buf *out, const struct text_field *field);
/* The text in lines of at most 72 columns, each after `indent`. */
void text_add_indented(struct buf *out, const char *indent, struct str text, bool utf8);
