#include "tlsrpt/tally_text.h"

#include <stdlib.h>

static const char *const policy_keys[] = {"type",   "domain",    "mx",
                                          "policy", "successes", "failures"};
static const char *const detail_keys[] = {"result", "host", "ip", "source", "count"};
static const char itself[] = "=";

static bool is_name(const json_t *value, struct str name)
{
    return json_is_string(value) &&
           str_eq(str_from(json_string_value(value), json_string_length(value)), name);
}

static void shorten(json_t *list, const json_t *object, const char *const keys[], size_t count,
                    struct str domain)
{
    for (size_t i = 0; i < count; i++) {
        json_t *value = json_object_get(object, keys[i]);
        json_array_append_new(list,
                              is_name(value, domain) ? json_string(itself) : json_incref(value));
    }
}

json_t *tally_text_write(struct str domain, const json_t *policies)
{
    const json_t *policy = json_array_get(policies, 0);
    const json_t *details = json_object_get(policy, "details");
    if (json_array_size(policies) != 1 || json_array_size(details) > TALLY_TEXT_DETAILS_MAX) {
        return NULL;
    }
    json_t *list = json_array();
    shorten(list, policy, policy_keys, ARRAY_LEN(policy_keys), domain);
    for (size_t i = 0; i < json_array_size(details); i++) {
        shorten(list, json_array_get(details, i), detail_keys, ARRAY_LEN(detail_keys), domain);
    }
    char *dump = json_dumps(list, JSON_COMPACT);
    json_t *text = dump ? json_string(dump) : NULL;
    free(dump);
    json_decref(list);
    return text;
}

/* The next members of the list, as an object. */
static json_t *lengthen(const json_t *list, size_t *at, const char *const keys[], size_t count,
                        struct str domain)
{
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++) {
        json_t *value = json_array_get(list, (*at)++);
        json_object_set_new(object, keys[i],
                            is_name(value, str_from_cstr(itself))
                                ? json_stringn(domain.ptr, domain.len)
                                : json_incref(value));
    }
    return object;
}

json_t *tally_text_read(struct str domain, const json_t *text)
{
    const size_t own = ARRAY_LEN(policy_keys), each = ARRAY_LEN(detail_keys);
    json_t *list = json_is_string(text) ? json_loads(json_string_value(text), 0, NULL) : NULL;
    size_t size = json_array_size(list), at = 0;
    json_t *policies = NULL;
    if (json_is_object(json_array_get(list, 0))) {
        return list; /* as it was once written: the list itself */
    }
    if (size >= own && size <= own + each * TALLY_TEXT_DETAILS_MAX && (size - own) % each == 0) {
        policies = json_array();
        json_t *policy = lengthen(list, &at, policy_keys, own, domain);
        json_t *details = json_array();
        while (at < size) {
            json_array_append_new(details, lengthen(list, &at, detail_keys, each, domain));
        }
        json_object_set_new(policy, "details", details);
        json_array_append_new(policies, policy);
    }
    json_decref(list);
    return policies;
}
