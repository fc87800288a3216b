/* The file of what users have sent, with a checksum that fits, so that what is below it is reached.
 * Properties: what is taken of it is written again as the very same users and amounts; no user has
 * used more than his limit, and all are drained after an hour; what is not taken leaves nothing. */
#include "core/base/crc32c.h"
#include "core/base/encode.h"
#include "core/mail/allowance.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct instant wall = {INT64_C(1700000000000000)};
static const int64_t now = INT64_C(5000000000);

static void check_users(struct allowance_book *book)
{
    struct arena arena = {0};
    size_t count = 0;
    struct allowance_state *states = allowance_list(book, STR(""), &arena, now, &count);
    for (size_t i = 0; i < count; i++) {
        struct allowance_ask ask = {.user = states[i].user, .limits = {{1, 1}}};
        bool over = states[i].used.of[0] > BUCKET_LIMIT_MAX || states[i].user.len > 255;
        if (over || allowance_reserve(book, &ask, now).verdict != ALLOWANCE_GRANTED) {
            abort();
        }
    }
    arena_done(&arena);
}

static void check(struct allowance_book *book)
{
    struct allowance_book again;
    struct buf first = {0}, second = {0};
    allowance_book_init(&again, (struct hash_seed){7, 9});
    allowance_save(book, &first, now, wall);
    if (!allowance_load(&again, buf_str(&first), now, wall) || again.map.count != book->map.count) {
        abort();
    }
    allowance_save(&again, &second, now, wall);
    if (!str_eq(buf_str(&first), buf_str(&second))) {
        abort();
    }
    check_users(book);
    allowance_save(book, &first, now + INT64_C(3600000000), wall);
    if (book->map.count != 0) {
        abort();
    }
    allowance_book_done(&again);
    buf_done(&first);
    buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = str_from((const char *)data, size);
    struct buf text = {0};
    uint32_t crc = crc32c(0, body);
    const char bytes[4] = {(char)(crc >> 24), (char)(crc >> 16), (char)(crc >> 8), (char)crc};
    buf_add(&text, body);
    buf_add(&text, STR("crc32c "));
    hex_encode(&text, str_from(bytes, sizeof bytes));
    buf_add_char(&text, '\n');
    const struct str inputs[] = {body, buf_str(&text)};
    for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
        struct allowance_book book;
        allowance_book_init(&book, (struct hash_seed){1, 2});
        if (allowance_load(&book, inputs[i], now, wall)) {
            check(&book);
        } else if (book.map.count != 0) {
            abort();
        }
        allowance_book_done(&book);
    }
    buf_done(&text);
    return 0;
}
