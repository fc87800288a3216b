#include "stores/token_answer.h"

#include <jansson.h>

static struct str text_of(const json_t *value)
{
    return json_is_string(value) ? str_from(json_string_value(value), json_string_length(value))
                                 : STR("");
}

/* Each of the wanted words, parted by blanks, is among those granted. */
static bool has_scope(const json_t *object, struct str wanted)
{
    while (wanted.len > 0) {
        struct str word = str_split(&wanted, ' ');
        struct str granted = text_of(json_object_get(object, "scope"));
        bool found = word.len == 0;
        while (granted.len > 0 && !found) {
            found = str_eq(str_split(&granted, ' '), word);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

/* One text or a list of them. */
static bool is_for(const json_t *audience, struct str wanted)
{
    bool found = wanted.len == 0 || str_eq(text_of(audience), wanted);
    for (size_t i = 0; json_is_array(audience) && i < json_array_size(audience); i++) {
        found = found || str_eq(text_of(json_array_get(audience, i)), wanted);
    }
    return found;
}

/* A time in seconds, also where it is written as 1.7e9; false: something else. */
static bool read_time(const json_t *value, int64_t otherwise, int64_t *time)
{
    *time = otherwise;
    if (json_is_integer(value)) {
        *time = json_integer_value(value);
    } else if (json_is_real(value)) {
        double real = json_real_value(value);
        if (real < 0 || real > 1e15) {
            return false;
        }
        *time = (int64_t)real;
    } else if (value && !json_is_null(value)) {
        return false;
    }
    return true;
}

static enum token_verdict judge(const json_t *object, const struct config_store *rules, int64_t now,
                                int64_t *until)
{
    int64_t from;
    const json_t *active = json_object_get(object, "active");
    if (!json_is_boolean(active)) {
        return TOKEN_NONSENSE;
    }
    if (json_is_false(active)) {
        return TOKEN_BAD;
    }
    if (!read_time(json_object_get(object, "exp"), INT64_MAX, until) ||
        !read_time(json_object_get(object, "nbf"), INT64_MIN, &from)) {
        return TOKEN_NONSENSE;
    }
    bool issued =
        rules->issuer.len == 0 || str_eq(text_of(json_object_get(object, "iss")), rules->issuer);
    bool good = now < *until && now >= from && issued && has_scope(object, rules->scope) &&
                is_for(json_object_get(object, "aud"), rules->audience);
    return good ? TOKEN_GOOD : TOKEN_BAD;
}

enum token_verdict token_judge(struct str json, const struct config_store *rules, int64_t now,
                               struct buf *user, int64_t *until)
{
    json_error_t error;
    json_t *object =
        json_loadb(json.len > 0 ? json.ptr : "", json.len, JSON_REJECT_DUPLICATES, &error);
    enum token_verdict verdict =
        json_is_object(object) ? judge(object, rules, now, until) : TOKEN_NONSENSE;
    if (verdict == TOKEN_GOOD) {
        struct str name = text_of(json_object_get(object, rules->claim.ptr));
        verdict = name.len > 0 ? TOKEN_GOOD : TOKEN_BAD;
        buf_add(user, name);
    }
    json_decref(object);
    return verdict;
}
