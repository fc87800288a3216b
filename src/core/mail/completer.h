/* completer.h: the addresses in a field of a header made whole as it streams by (RFC 5322 3.4, 4.4;
 * RFC 6532). Nothing is taken away or changed, names are inserted; to do it twice is to do it once.
 * Groups, comments, quoted strings, encoded words and folds pass octet for octet. So does what is
 * no address for certain: two words without "<", an encoded word alone, a quoted string with blanks
 * that is not in "<>", and all that follows damage. Lines grow by what is inserted. Fixed memory;
 * pieces may be cut anywhere. */
#pragma once

#include "core/mail/completion.h"

enum {
    COMPLETER_LABEL_MAX = 63,
    COMPLETER_INSERT_MAX = DOMAIN_LEN_MAX + 1,
    COMPLETER_HELD_MAX = 1024,         /* blanks and comments after a name; longer: it stays */
    COMPLETER_INSERTED_MAX = 24 << 10, /* octets in all; then the names stay as they are */
};

/* Where in a field it is; for completer.c alone. */
struct completer_place {
    uint8_t part, lexis;
    bool word_open; /* the next octet of an atom belongs to the last one */
    char word_first;
    uint32_t word_len;
    bool escaped, blank; /* in a comment, quotes or a literal */
    uint32_t depth;
    bool angle;   /* inside "<…>" */
    bool angled;  /* …which was there already in this address */
    bool damaged; /* to the end of the field */
    uint8_t label_len;
    uint16_t held_len;
};

struct completer {
    const struct completion *completion; /* set by the caller; the rest is zeroed */
    uint32_t inserted;                   /* octets so far */

    /* Its own: */
    struct completer_place at;
    char label[COMPLETER_LABEL_MAX];
    char text[COMPLETER_INSERT_MAX +
              COMPLETER_HELD_MAX]; /* the end of one, the begin of the other */
};

/* Whether a field of this name is to be given to it. */
bool completer_wants(struct str name);

/* The field's value, after the colon. Takes bytes off `*bytes`; `*piece` is what goes on, good
 * until the next call. False: all were used, nothing goes on. */
NODISCARD bool completer_take(struct completer *c, struct str *bytes, struct str *piece);
/* The field is over: what was held back, if anything. Then it is ready for another. */
NODISCARD bool completer_end(struct completer *c, struct str *piece);
