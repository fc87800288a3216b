/* Property: a report that is read has every member, with its type, and is itself JSON that can be
 * written and read; what is none has a reason. */
#include "tlsrpt/read.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_policy(const json_t *policy)
{
    size_t i;
    json_t *detail;
    require(json_is_string(json_object_get(policy, "domain")));
    require(json_is_array(json_object_get(policy, "mx")));
    require(json_integer_value(json_object_get(policy, "failures")) >= 0);
    json_array_foreach(json_object_get(policy, "details"), i, detail)
    {
        require(json_is_string(json_object_get(detail, "result")));
        require(json_is_integer(json_object_get(detail, "count")));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *reason = NULL;
    json_t *report = tlsrpt_read(str_from((const char *)data, size), &reason);
    size_t i;
    json_t *policy;
    require(report || reason);
    if (report) {
        require(json_is_string(json_object_get(report, "organization")));
        json_array_foreach(json_object_get(report, "policies"), i, policy)
        {
            check_policy(policy);
        }
        char *text = json_dumps(report, 0);
        require(text != NULL);
        json_t *again = json_loads(text, 0, NULL);
        require(json_equal(report, again));
        json_decref(again);
        free(text);
    }
    json_decref(report);
    return 0;
}
