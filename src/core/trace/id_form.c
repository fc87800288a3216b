#include "core/trace/id_form.h"

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static bool all_of(struct str text, struct str alphabet)
{
    for (size_t i = 0; i < text.len; i++) {
        if (str_find(alphabet, text.ptr[i]) == STR_NONE) {
            return false;
        }
    }
    return text.len > 0;
}

static bool is_alnum(struct str text)
{
    return all_of(text, STR(DIGITS UPPER LOWER));
}

static bool is_digits(struct str text)
{
    return all_of(text, STR(DIGITS));
}

/* Short: the microseconds in five hexadecimal digits, then the inode. Long: no vowels, "z" between
 * the time and the inode. */
static enum id_form postfix(struct str id)
{
    enum { SHORT_MIN = 4, SHORT_MAX = 21, LONG_MIN = 12, LONG_MAX = 25 };
    if (all_of(id, STR(DIGITS "ABCDEF"))) {
        bool second = id.len > 5 && str_cmp(str_head(id, 5), STR("F423F")) > 0;
        return id.len < SHORT_MIN || id.len > SHORT_MAX ? ID_FOREIGN : second ? ID_ODD : ID_FITS;
    }
    bool no_vowels = all_of(id, STR(DIGITS "BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"));
    bool parted =
        id.len >= LONG_MIN && id.len <= LONG_MAX && (id.ptr[10] == 'z' || id.ptr[11] == 'z');
    return no_vowels && parted ? ID_FITS : ID_FOREIGN;
}

static enum id_form exim(struct str id)
{
    struct str rest = id;
    struct str a = str_split(&rest, '-'), b = str_split(&rest, '-');
    bool lengths = a.len == 6 && ((b.len == 6 && rest.len == 2) || (b.len == 11 && rest.len == 4));
    return lengths && is_alnum(a) && is_alnum(b) && is_alnum(rest) ? ID_FITS : ID_FOREIGN;
}

/* "q0A1B2C3004567", "h2F0c2x31856", "KAA12345"; Proofpoint's build: "3q1a2b3c4d-1". */
static enum id_form sendmail(struct str id)
{
    enum { MIN = 7, MAX = 16, LETTERS_MAX = 8, PID_MIN = 4 };
    struct str rest = id;
    struct str first = str_split(&rest, '-');
    if (first.len != id.len) {
        return is_alnum(first) && first.len >= 10 && is_digits(rest) ? ID_FITS : ID_FOREIGN;
    }
    size_t letters = id.len > LETTERS_MAX + PID_MIN ? LETTERS_MAX : 3;
    bool fits = id.len >= MIN && id.len <= MAX && is_alnum(id) &&
                is_digits(str_tail(id, id.len - PID_MIN)) && letters < id.len;
    return fits ? ID_FITS : ID_FOREIGN;
}

static enum id_form opensmtpd(struct str id)
{
    bool length = id.len == 8 || id.len == 16;
    return length && all_of(id, STR(DIGITS "abcdef")) ? ID_FITS : ID_FOREIGN;
}

static enum id_form postrider(struct str id)
{
    bool fits = id.len == 13 && all_of(id, STR(DIGITS "abcdefghjkmnpqrstvwxyz"));
    return fits ? ID_FITS : ID_FOREIGN;
}

/* A UUID, a dot, the transaction's number. */
static enum id_form haraka(struct str id)
{
    static const size_t lengths[] = {8, 4, 4, 4, 12};
    struct str rest = id;
    struct str uuid = str_split(&rest, '.');
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct str part = str_split(&uuid, '-');
        if (part.len != lengths[i] || !all_of(part, STR(DIGITS "ABCDEFabcdef"))) {
            return ID_FOREIGN;
        }
    }
    return uuid.len == 0 && all_of(rest, STR(DIGITS ".")) ? ID_FITS : ID_FOREIGN;
}

/* The program's version: "15.20.6954.28". */
static enum id_form exchange(struct str id)
{
    return all_of(id, STR(DIGITS ".")) && str_find(id, '.') != STR_NONE ? ID_FITS : ID_FOREIGN;
}

static enum id_form gmail(struct str id)
{
    return id.len >= 6 && all_of(id, STR(DIGITS LOWER ".-_")) ? ID_FITS : ID_FOREIGN;
}

/* "2014051607080912-34567": when it came, and a number. */
static enum id_form domino(struct str id)
{
    return id.len > 14 && is_digits(str_head(id, 14)) && all_of(id, STR(DIGITS "-:")) ? ID_FITS
                                                                                      : ID_FOREIGN;
}

static enum id_form communigate(struct str id)
{
    return is_digits(id) ? ID_FITS : ID_FOREIGN;
}

enum id_form id_form_of(const struct received *r, struct str value)
{
    enum { CERTAIN = 90 };
    static const struct {
        struct str software;
        struct str sign; /* must stand in the field besides; empty: nothing must */
        enum id_form (*form)(struct str id);
    } forms[] = {
        {STR_INIT("Postfix"), STR_INIT(""), postfix},
        {STR_INIT("Exim"), STR_INIT(""), exim},
        {STR_INIT("Sendmail"), STR_INIT(""), sendmail},
        {STR_INIT("OpenSMTPD"), STR_INIT(""), opensmtpd},
        {STR_INIT("Postrider"), STR_INIT(""), postrider},
        {STR_INIT("Haraka"), STR_INIT(""), haraka},
        {STR_INIT("Exchange"), STR_INIT("Microsoft SMTP Server"), exchange},
        {STR_INIT("Exchange"), STR_INIT("with mapi"), exchange},
        {STR_INIT("Gmail"), STR_INIT("by mx.google.com"), gmail},
        {STR_INIT("Domino"), STR_INIT(""), domino},
        {STR_INIT("CommuniGate"), STR_INIT(""), communigate},
    };
    for (size_t i = 0; r->id.len > 0 && i < ARRAY_LEN(forms); i++) {
        if (r->software.certainty >= CERTAIN && str_eq(r->software.name, forms[i].software) &&
            (forms[i].sign.len == 0 || str_find_str(value, forms[i].sign) != STR_NONE)) {
            return forms[i].form(r->id);
        }
    }
    return ID_UNKNOWN;
}
