#include "core/base/tlsa.h"

#include "core/base/encode.h"

enum { SHOWN = 16 };

const char *tlsa_fault(const struct tlsa *t)
{
    static const size_t sizes[] = {0, 32, 64};
    if (t->usage != 2 && t->usage != 3) {
        return "its usage is not for mail (RFC 7672 3.1.3)";
    }
    if (t->selector > 1) {
        return "its selector is unknown";
    }
    if (t->matching >= ARRAY_LEN(sizes)) {
        return "its matching type is unknown";
    }
    if (t->data.len == 0 || (t->matching > 0 && t->data.len != sizes[t->matching])) {
        return "its data has the wrong length";
    }
    return NULL;
}

static void write_head(struct buf *out, const struct tlsa *t, size_t shown)
{
    buf_add_format(out, "%u %u %u ", (unsigned)t->usage, (unsigned)t->selector,
                   (unsigned)t->matching);
    hex_encode(out, str_head(t->data, shown));
}

void tlsa_write(struct buf *out, const struct tlsa *t)
{
    write_head(out, t, t->data.len);
}

void tlsa_format(struct buf *out, const struct tlsa *t)
{
    write_head(out, t, SHOWN);
    buf_add(out, t->data.len > SHOWN ? STR("\xe2\x80\xa6") : STR(""));
}
