/* Property: a token that is taken from a client's message is one that may stand in a request as it
 * is, and the message made of it and the name again gives both again. */
#include <stdio.h>
#include <stdlib.h>

#include "login/bearer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_name(struct buf *out, struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        buf_add(out, c == ',' ? STR("=2C") : c == '=' ? STR("=3D") : str_from(&name.ptr[i], 1));
    }
}

static void write_again(struct buf *out, bool xoauth2, struct str name, struct str token)
{
    if (xoauth2) {
        buf_join(out, STR("user="), name, STR("\1auth=Bearer "), token, STR("\1\1"));
        return;
    }
    buf_add(out, STR("n,"));
    buf_add(out, name.len > 0 ? STR("a=") : STR(""));
    add_name(out, name);
    buf_join(out, STR(",\1auth=Bearer "), token, STR("\1\1"));
}

static void read_both_ways(struct str message, bool xoauth2)
{
    struct buf user = {0}, again = {0}, same_user = {0};
    struct str token, same_token;
    if (bearer_parse(message, xoauth2, &user, &token)) {
        bool plain = token.len > 0 && token.len <= BEARER_TOKEN_MAX && !str_has_control(token) &&
                     str_find(token, '&') == STR_NONE && str_find(token, ' ') == STR_NONE;
        write_again(&again, xoauth2, buf_str(&user), token);
        if (!plain || !bearer_parse(buf_str(&again), xoauth2, &same_user, &same_token) ||
            !str_eq(token, same_token) || !str_eq(buf_str(&user), buf_str(&same_user))) {
            (void)fprintf(stderr, "broken: a message is not read as it was written\n");
            abort();
        }
    }
    buf_done(&user);
    buf_done(&again);
    buf_done(&same_user);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str message = str_from((const char *)data, size);
    read_both_ways(message, false);
    read_both_ways(message, true);
    return 0;
}
