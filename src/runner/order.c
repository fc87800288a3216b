#include "runner/order.h"

#include <errno.h>

/* Two bytes, high one first: how many arguments; two: how many variables; then each with its NUL.
 */

static void add_count(struct buf *out, size_t count)
{
    buf_add_char(out, (char)(count >> 8));
    buf_add_char(out, (char)(count & 0xff));
}

static int add_words(struct buf *out, const struct str *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_find(words[i], '\0') != STR_NONE) {
            return -EINVAL;
        }
        buf_add(out, words[i]);
        buf_add_char(out, '\0');
    }
    return 0;
}

int order_format(struct buf *out, const struct program_order *wanted)
{
    if (wanted->argc == 0) {
        return -EINVAL;
    }
    if (wanted->argc > ORDER_WORDS_MAX || wanted->environment_count > ORDER_WORDS_MAX) {
        return -E2BIG;
    }
    add_count(out, wanted->argc);
    add_count(out, wanted->environment_count);
    int error = add_words(out, wanted->argv, wanted->argc);
    if (error == 0) {
        error = add_words(out, wanted->environment, wanted->environment_count);
    }
    if (error == 0 && out->failed) {
        error = -ENOMEM;
    }
    return error == 0 && out->len > ORDER_BYTES_MAX ? -E2BIG : error;
}

static bool take_words(struct str *rest, const char **words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t end = str_find(*rest, '\0');
        if (end == STR_NONE) {
            return false;
        }
        words[i] = rest->ptr;
        *rest = str_tail(*rest, end + 1);
    }
    words[count] = NULL;
    return true;
}

static size_t count_at(struct str bytes, size_t at)
{
    return (size_t)(unsigned char)bytes.ptr[at] << 8 | (unsigned char)bytes.ptr[at + 1];
}

bool order_parse(struct str bytes, struct order *order)
{
    if (bytes.len < 4 || bytes.len > ORDER_BYTES_MAX) {
        return false;
    }
    order->argc = count_at(bytes, 0);
    order->environment_count = count_at(bytes, 2);
    struct str rest = str_tail(bytes, 4);
    return order->argc > 0 && order->argc <= ORDER_WORDS_MAX &&
           order->environment_count <= ORDER_WORDS_MAX &&
           take_words(&rest, order->argv, order->argc) &&
           take_words(&rest, order->environment, order->environment_count) && rest.len == 0;
}
