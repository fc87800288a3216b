/* Property: a token that is good has a user and is good no more when its time is over; one that has
 * no such scope is never good. */
#include <stdio.h>
#include <stdlib.h>

#include "stores/token_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void broken(const char *what)
{
    (void)fprintf(stderr, "broken: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t now = 1700000000;
    struct config_store rules = {.claim = STR("username")};
    struct config_store strict = {.claim = STR("username"), .scope = STR("never-granted")};
    struct str json = str_from((const char *)data, size);
    struct buf user = {0};
    int64_t until = 0, again = 0;
    if (token_judge(json, &rules, now, &user, &until) == TOKEN_GOOD) {
        if (user.len == 0 || until <= now) {
            broken("a good token has no user or no time");
        }
        if (until < INT64_MAX && token_judge(json, &rules, until, &user, &again) == TOKEN_GOOD) {
            broken("a token is good past its end");
        }
    }
    if (token_judge(json, &strict, now, &user, &until) == TOKEN_GOOD &&
        str_find_str(json, STR("granted")) == STR_NONE) {
        broken("a scope that is not there is found");
    }
    buf_done(&user);
    return 0;
}
