#include "core/mail/allowance_inside.h"

#include "core/base/crc32c.h"
#include "core/base/encode.h"
#include "core/base/scan.h"

#define HOUR_US INT64_C(3600000000)

static const struct str title = STR_INIT("postrider-allowances 1 ");
enum { TRAILER = sizeof "crc32c 01234567\n" - 1 };

/* All of `text` so far, made sure of. */
static void add_trailer(struct buf *out, struct str text)
{
    uint32_t crc = crc32c(0, text);
    const char bytes[4] = {(char)(crc >> 24), (char)(crc >> 16), (char)(crc >> 8), (char)crc};
    buf_add(out, STR("crc32c "));
    hex_encode(out, str_from(bytes, sizeof bytes));
    buf_add_char(out, '\n');
}

static void add_user(struct buf *out, const struct allowance_user *user)
{
    xtext_encode(out, str_from(user->name, user->name_len));
    for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
        buf_add_char(out, ' ');
        buf_add_u64(out, user->limits.of[i]);
        buf_add_char(out, ' ');
        buf_add_u64(out, user->buckets[i].used);
    }
    buf_add_char(out, '\n');
}

void allowance_save(struct allowance_book *book, struct buf *out, int64_t now_us,
                    struct instant wall)
{
    size_t before = out->len;
    allowance_sweep(book, now_us);
    buf_add(out, title);
    buf_add_u64(out, wall.us > 0 ? (uint64_t)wall.us : 0);
    buf_add_char(out, '\n');
    LIST_EACH (link, &book->users) {
        const struct allowance_user *user = CONTAINER_OF(link, struct allowance_user, link);
        if (user->buckets[ALLOWANCE_MESSAGES].used > 0 ||
            user->buckets[ALLOWANCE_RECIPIENTS].used > 0) {
            add_user(out, user);
        }
    }
    add_trailer(out, str_tail(buf_str(out), before));
    book->changed = book->changed && out->failed;
}

/* Only what allowance_save() may have written is a user's line. */
static bool read_user(struct allowance_book *book, struct str line, int64_t saved_us,
                      int64_t now_us)
{
    struct scan sc = {.rest = line};
    struct buf text = {0};
    struct bucket buckets[ALLOWANCE_KINDS];
    struct allowance limits;
    bool any = false;
    bool fine = xtext_decode(&text, scan_until(&sc, ' '));
    for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
        scan_char(&sc, ' ');
        limits.of[i] = (uint32_t)scan_u64(&sc, BUCKET_LIMIT_MAX);
        scan_char(&sc, ' ');
        uint64_t used = scan_u64(&sc, limits.of[i] * BUCKET_UNIT);
        buckets[i] = (struct bucket){.used = used, .at_us = saved_us};
        any = any || used > 0;
    }
    struct allowance_name name = allowance_name(buf_str(&text));
    fine = fine && scan_done(&sc) && any && str_eq(buf_str(&text), str_from(name.text, name.len));
    buf_done(&text);
    size_t count = book->map.count;
    struct allowance_user *user = fine ? allowance_make(book, &name, now_us) : NULL;
    if (!user || book->map.count == count) {
        return false;
    }
    user->limits = limits;
    for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
        user->buckets[i] = buckets[i];
    }
    return true;
}

static int64_t passed_us(struct instant saved, struct instant wall)
{
    if (!instant_before(saved, wall)) {
        return 0;
    }
    return wall.us - saved.us < HOUR_US ? wall.us - saved.us : HOUR_US;
}

static bool read_all(struct allowance_book *book, struct str text, int64_t now_us,
                     struct instant wall)
{
    struct scan sc = {.rest = text};
    scan_word(&sc, title);
    struct instant saved = {(int64_t)scan_u64(&sc, INT64_MAX)};
    scan_char(&sc, '\n');
    int64_t saved_us = now_us - passed_us(saved, wall);
    while (!sc.failed && !scan_at_end(&sc)) {
        struct str line = scan_until(&sc, '\n');
        scan_char(&sc, '\n');
        if (!read_user(book, line, saved_us, now_us)) {
            return false;
        }
    }
    return scan_done(&sc);
}

bool allowance_load(struct allowance_book *book, struct str text, int64_t now_us,
                    struct instant wall)
{
    struct buf trailer = {0};
    size_t body = text.len > TRAILER ? text.len - TRAILER : 0;
    add_trailer(&trailer, str_head(text, body));
    bool whole = str_eq(buf_str(&trailer), str_tail(text, body));
    buf_done(&trailer);
    if (whole && read_all(book, str_head(text, body), now_us, wall)) {
        return true;
    }
    struct hash_seed seed = book->seed;
    allowance_book_done(book);
    allowance_book_init(book, seed);
    return false;
}
