#include "core/mail/tlsrpt_record.h"

#include "core/mail/mailbox.h"
#include "core/mail/txt_fields.h"

/* RFC 3986: no blank, and "%" only before two hexadecimal digits. */
static bool is_uri_text(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool escape = text.ptr[i] == '%';
        if (!ascii_is_print(text.ptr[i]) || text.ptr[i] == ' ' ||
            (escape && (i + 2 >= text.len || !ascii_is_hex(text.ptr[i + 1]) ||
                        !ascii_is_hex(text.ptr[i + 2])))) {
            return false;
        }
    }
    return text.len > 0;
}

static bool take_mailto(struct str text, struct tlsrpt_place *place)
{
    struct mailbox mailbox;
    place->uri = str_split(&text, '?');
    return mailbox_parse(place->uri, &mailbox) == MAILBOX_OK;
}

static bool take_place(struct tlsrpt_record *record, struct str text)
{
    struct tlsrpt_place place = {0};
    bool good = is_uri_text(text);
    if (good && str_starts_nocase(text, STR("mailto:"))) {
        good = take_mailto(str_tail(text, 7), &place);
    } else if (good && str_starts_nocase(text, STR("https://"))) {
        place.https = true;
        place.uri = str_tail(text, 8);
        good = place.uri.len > 0;
    } else {
        good = false;
    }
    if (good && record->count < TLSRPT_PLACES_MAX) {
        record->places[record->count++] = place;
    }
    return good;
}

bool tlsrpt_record_parse(struct str text, struct tlsrpt_record *record)
{
    struct txt_fields fields;
    struct str name, value;
    *record = (struct tlsrpt_record){0};
    if (!txt_fields_begin(&fields, text, STR("TLSRPTv1"))) {
        return false;
    }
    while (txt_fields_next(&fields, &name, &value)) {
        bool rua = str_eq(name, STR("rua"));
        if (!rua && str_find(value, '=') != STR_NONE) {
            return false;
        }
        while (rua && value.len > 0) {
            if (!take_place(record, str_trim(str_split(&value, ',')))) {
                return false;
            }
        }
    }
    return txt_fields_good(&fields) && record->count > 0;
}
