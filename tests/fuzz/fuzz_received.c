/* Whatever a Received field holds: every text found lies inside it, and reading it elsewhere in
 * memory finds the same. Read as a header, its witnesses lie inside it too. */
#include "core/trace/received.h"
#include "core/trace/witness.h"

#include <stdlib.h>
#include <string.h>

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Texts that are not slices are fixed words of the reader's. */
static bool is_fixed(const struct received *r, struct str text)
{
    return text.ptr == r->with.ptr || str_eq(text, STR("yes"));
}

static void lies_inside(struct str value, const struct received *r, struct str text)
{
    bool inside = text.ptr >= value.ptr && text.ptr + text.len <= value.ptr + value.len;
    must(text.len == 0 || inside || is_fixed(r, text));
}

static void check_witnesses(struct str header)
{
    struct witness found[8];
    size_t count = witnesses_read(header, found, ARRAY_LEN(found));
    for (size_t i = 0; i < count; i++) {
        const struct str texts[] = {found[i].host, found[i].helo, found[i].by, found[i].result};
        for (size_t at = 0; at < ARRAY_LEN(texts); at++) {
            must(texts[at].len == 0 || (texts[at].ptr >= header.ptr &&
                                        texts[at].ptr + texts[at].len <= header.ptr + header.len));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str value = str_from((const char *)data, size);
    struct received r, again;
    received_parse(value, &r);
    check_witnesses(value);
    const struct str texts[] = {r.from,        r.helo,       r.rdns,          r.by,
                                r.via,         r.id,         r.auth,          r.ident,
                                r.tls_version, r.tls_cipher, r.envelope_from, r.recipient};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        lies_inside(value, &r, texts[i]);
    }
    char *copy = malloc(size + 1);
    must(copy != NULL);
    memcpy(copy, data, size);
    received_parse(str_from(copy, size), &again);
    must(str_eq(r.from, again.from) && str_eq(r.by, again.by) && str_eq(r.id, again.id));
    must(str_eq(r.helo, again.helo) && str_eq(r.rdns, again.rdns) && ip_eq(r.ip, again.ip));
    must(r.date.known == again.date.known && r.date.seconds == again.date.seconds);
    free(copy);
    return 0;
}
