#include "core/mailauth/key.h"

#include "core/base/encode.h"
#include "core/mailauth/tags.h"

#include <string.h>

enum { ED25519_SIZE = 32 };

/* Whether the list names `one`, or, where `any` is not empty, that; an absent list names all. */
static bool names(const struct tags *tags, struct str tag, struct str one, struct str any)
{
    const struct tag *found = tags_find(tags, tag);
    struct str rest = found ? found->value : (struct str){0};
    for (struct str part; tags_next_part(&rest, &part);) {
        if (str_eq_nocase(part, one) || (any.len > 0 && str_eq(part, any))) {
            return true;
        }
    }
    return false;
}

static bool is_for(const struct tags *tags, const struct key *key,
                   enum signature_algorithm algorithm)
{
    const struct tag *version = tags_find(tags, STR("v"));
    bool first = !version || (version == tags->list && str_eq(version->value, STR("DKIM1")));
    struct str type = tags_value(tags, STR("k"));
    bool known = type.len == 0 || str_eq_nocase(type, STR("rsa")) || key->ed25519;
    struct str hash = algorithm == ALGORITHM_RSA_SHA1 ? STR("sha1") : STR("sha256");
    return first && known && key->ed25519 == (algorithm == ALGORITHM_ED25519_SHA256) &&
           (!tags_find(tags, STR("h")) || names(tags, STR("h"), hash, (struct str){0})) &&
           (!tags_find(tags, STR("s")) || names(tags, STR("s"), STR("email"), STR("*")));
}

enum key_finding key_parse(struct key *key, struct arena *arena, struct str text,
                           enum signature_algorithm algorithm)
{
    struct tags tags;
    struct buf squeezed = {0};
    struct buf octets = {0};
    enum key_finding finding = KEY_BROKEN;
    memset(key, 0, sizeof *key);
    if (!tags_parse(text, &tags) || !tags_find(&tags, STR("p"))) {
        return KEY_BROKEN;
    }
    key->ed25519 = str_eq_nocase(tags_value(&tags, STR("k")), STR("ed25519"));
    key->testing = names(&tags, STR("t"), STR("y"), (struct str){0});
    key->strict = names(&tags, STR("t"), STR("s"), (struct str){0});
    tags_squeeze(&squeezed, tags_value(&tags, STR("p")));
    if (!is_for(&tags, key, algorithm)) {
        finding = KEY_OTHER;
    } else if (!squeezed.failed && squeezed.len == 0) {
        finding = KEY_REVOKED;
    } else if (!squeezed.failed && base64_decode(&octets, buf_str(&squeezed)) &&
               octets.len <= KEY_OCTETS_MAX && (!key->ed25519 || octets.len == ED25519_SIZE)) {
        key->octets = arena_copy(arena, buf_str(&octets));
        finding = key->octets.ptr ? KEY_GOOD : KEY_BROKEN;
    }
    buf_done(&squeezed);
    buf_done(&octets);
    return finding;
}
