/* id_form.h: the forms of the ids that mail servers make. */
#pragma once

#include "core/trace/received.h"

enum id_form {
    ID_FITS,
    ID_ODD,     /* in its alphabet, but with a value that does not come about */
    ID_FOREIGN, /* never made by that software */
    ID_UNKNOWN, /* the software's ids are not known, or none is said */
};

/* By the software that the line names; `value` is the whole field's. */
enum id_form id_form_of(const struct received *r, struct str value);
