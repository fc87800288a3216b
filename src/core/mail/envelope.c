#include "core/mail/envelope.h"

#include "core/base/scan.h"

#include <stdlib.h>
#include <string.h>

enum { ENVELOPE_VERSION = 1 };
enum {
    FLAG_SMTPUTF8 = 1,
    FLAG_IS_REPORT = 2,
    FLAG_SUBMITTED = 4,
    FLAG_REQUIRE_TLS = 8,
    FLAG_TLS_OPTIONAL = 16,
    FLAG_HELD = 32,     /* the time of release follows the user */
    FLAG_PRIORITY = 64, /* then the priority, from the lowest up */
    FLAG_MORE = 128,    /* then a second octet of flags */
    FLAGS_ALL = 255
};
enum {
    MORE_BY = 1, /* the time to deliver by follows, in seconds */
    MORE_BY_RETURN = 2,
    MORE_BY_TRACE = 4,
    MORE_ALL = 7
};
enum { NOTIFY_ALL = NOTIFY_NEVER | NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY };
/* Two empty texts and the notify bits: what a count of recipients is checked against. */
enum { RCPT_SIZE_MIN = 4 + 4 + 1 };

static unsigned more_flags(const struct envelope *e)
{
    return e->by.mode == BY_NONE ? 0U
                                 : MORE_BY | (e->by.mode == BY_RETURN ? MORE_BY_RETURN : 0U) |
                                       (e->by.trace ? MORE_BY_TRACE : 0U);
}

void envelope_encode(struct buf *out, const struct envelope *e)
{
    unsigned more = more_flags(e);
    unsigned flags =
        (e->smtputf8 ? FLAG_SMTPUTF8 : 0U) | (e->is_report ? FLAG_IS_REPORT : 0U) |
        (e->submitted ? FLAG_SUBMITTED : 0U) | (e->require_tls ? FLAG_REQUIRE_TLS : 0U) |
        (e->tls_optional ? FLAG_TLS_OPTIONAL : 0U) | (e->release.us != 0 ? FLAG_HELD : 0U) |
        (e->priority != 0 ? FLAG_PRIORITY : 0U) | (more ? FLAG_MORE : 0U);
    buf_put_u8(out, ENVELOPE_VERSION);
    buf_put_u64(out, e->id.value);
    buf_put_u64(out, (uint64_t)e->arrived.us);
    buf_put_u64(out, e->body_size);
    buf_put_u8(out, (uint8_t)e->ret);
    buf_put_u8(out, (uint8_t)e->body);
    buf_put_u8(out, (uint8_t)flags);
    buf_put_u8(out, (uint8_t)e->client_ip.family);
    buf_add(out, str_from((const char *)e->client_ip.bytes, sizeof(e->client_ip.bytes)));
    buf_put_str(out, e->reverse_path);
    buf_put_str(out, e->envid);
    buf_put_str(out, e->client_name);
    buf_put_str(out, e->helo);
    buf_put_str(out, e->protocol);
    buf_put_str(out, e->user);
    if (flags & FLAG_HELD) {
        buf_put_u64(out, (uint64_t)e->release.us);
    }
    if (flags & FLAG_PRIORITY) {
        buf_put_u8(out, (uint8_t)(e->priority - PRIORITY_MIN));
    }
    if (flags & FLAG_MORE) {
        buf_put_u8(out, (uint8_t)more);
        buf_put_u32(out, (uint32_t)e->by.seconds);
    }
    buf_put_u32(out, (uint32_t)e->rcpt_count);
    for (size_t i = 0; i < e->rcpt_count; i++) {
        buf_put_str(out, e->rcpts[i].address);
        buf_put_str(out, e->rcpts[i].orcpt);
        buf_put_u8(out, e->rcpts[i].notify);
    }
}

/* A byte that must be one of 0 to max. */
static unsigned get_choice(struct scan *sc, unsigned max)
{
    unsigned value = scan_get_u8(sc);
    if (value > max) {
        scan_fail(sc);
        return 0;
    }
    return value;
}

static struct ip get_ip(struct scan *sc)
{
    struct ip ip = {.family = (enum ip_family)scan_get_u8(sc)};
    struct str bytes = scan_take(sc, sizeof(ip.bytes));
    if (ip.family != IP_NONE && ip.family != IP_V4 && ip.family != IP_V6) {
        scan_fail(sc);
    }
    if (scan_ok(sc)) {
        memcpy(ip.bytes, bytes.ptr, sizeof(ip.bytes));
    }
    return ip;
}

/* What follows the second octet of flags. */
static void get_more(struct scan *sc, struct envelope *e)
{
    unsigned more = get_choice(sc, MORE_ALL);
    int32_t seconds = (int32_t)scan_get_u32(sc);
    bool returns = (more & MORE_BY_RETURN) != 0;
    if (!(more & MORE_BY) || seconds > BY_SECONDS_MAX ||
        seconds < (returns ? 1 : -BY_SECONDS_MAX)) {
        scan_fail(sc);
    }
    e->by =
        (struct deliver_by){seconds, returns ? BY_RETURN : BY_NOTIFY, (more & MORE_BY_TRACE) != 0};
}

static void get_rcpts(struct scan *sc, struct arena *arena, struct envelope *e)
{
    e->rcpt_count = scan_get_u32(sc);
    if (!scan_ok(sc) || e->rcpt_count > sc->rest.len / RCPT_SIZE_MIN) {
        scan_fail(sc);
        return;
    }
    e->rcpts = (struct envelope_rcpt *)arena_array(arena, e->rcpt_count, sizeof(*e->rcpts));
    if (!e->rcpts && e->rcpt_count > 0) {
        scan_fail(sc);
        return;
    }
    for (size_t i = 0; i < e->rcpt_count; i++) {
        e->rcpts[i].address = scan_get_str(sc);
        e->rcpts[i].orcpt = scan_get_str(sc);
        e->rcpts[i].notify = (uint8_t)get_choice(sc, NOTIFY_ALL);
    }
}

bool envelope_decode(struct str bytes, struct arena *arena, struct envelope *e)
{
    struct scan sc = {.rest = bytes};
    struct envelope read = {0};
    if (scan_get_u8(&sc) != ENVELOPE_VERSION) {
        return false;
    }
    read.id.value = scan_get_u64(&sc);
    read.arrived.us = (int64_t)scan_get_u64(&sc);
    read.body_size = scan_get_u64(&sc);
    read.ret = (enum dsn_ret)get_choice(&sc, RET_HDRS);
    read.body = (enum envelope_body)get_choice(&sc, BODY_BINARYMIME);
    unsigned flags = get_choice(&sc, FLAGS_ALL);
    read.smtputf8 = (flags & FLAG_SMTPUTF8) != 0;
    read.is_report = (flags & FLAG_IS_REPORT) != 0;
    read.submitted = (flags & FLAG_SUBMITTED) != 0;
    read.require_tls = (flags & FLAG_REQUIRE_TLS) != 0;
    read.tls_optional = (flags & FLAG_TLS_OPTIONAL) != 0;
    read.client_ip = get_ip(&sc);
    read.reverse_path = scan_get_str(&sc);
    read.envid = scan_get_str(&sc);
    read.client_name = scan_get_str(&sc);
    read.helo = scan_get_str(&sc);
    read.protocol = scan_get_str(&sc);
    read.user = scan_get_str(&sc);
    if (flags & FLAG_HELD) {
        read.release.us = (int64_t)scan_get_u64(&sc);
        if (read.release.us == 0) {
            scan_fail(&sc);
        }
    }
    if (flags & FLAG_PRIORITY) {
        read.priority = (int8_t)((int)get_choice(&sc, PRIORITY_MAX - PRIORITY_MIN) + PRIORITY_MIN);
        if (read.priority == 0) {
            scan_fail(&sc);
        }
    }
    if (flags & FLAG_MORE) {
        get_more(&sc, &read);
    }
    get_rcpts(&sc, arena, &read);
    if (!scan_done(&sc)) {
        return false;
    }
    *e = read;
    return true;
}

struct str envelope_domain(struct str address)
{
    size_t at = str_rfind(address, '@');
    return at == STR_NONE ? (struct str){0} : str_tail(address, at + 1);
}

/* Of the same address, the one that was named first. */
static int by_domain(const void *left, const void *right)
{
    const struct envelope_rcpt *a = *(const struct envelope_rcpt *const *)left;
    const struct envelope_rcpt *b = *(const struct envelope_rcpt *const *)right;
    int order = str_cmp(envelope_domain(a->address), envelope_domain(b->address));
    order = order ? order : str_cmp(a->address, b->address);
    return order ? order : (a > b) - (a < b);
}

/* Puts each where it belongs, in place: there may be 100,000. `sorted` says who comes where, and is
 * used up: around each circle of moves one waits aside. */
static void arrange(struct envelope_rcpt *rcpts, const struct envelope_rcpt **sorted, size_t count)
{
    for (size_t first = 0; first < count; first++) {
        struct envelope_rcpt aside = rcpts[first];
        size_t to = first;
        for (size_t from; (from = (size_t)(sorted[to] - rcpts)) != first; to = from) {
            rcpts[to] = rcpts[from];
            sorted[to] = &rcpts[to];
        }
        rcpts[to] = aside;
        sorted[to] = &rcpts[to];
    }
}

bool envelope_group_rcpts(struct envelope *e, struct arena *arena)
{
    const struct envelope_rcpt **sorted = arena_array(arena, e->rcpt_count, sizeof *sorted);
    if (!sorted) {
        return false;
    }
    for (size_t i = 0; i < e->rcpt_count; i++) {
        sorted[i] = &e->rcpts[i];
    }
    qsort(sorted, e->rcpt_count, sizeof *sorted, by_domain);
    arrange(e->rcpts, sorted, e->rcpt_count);
    size_t count = 0;
    for (size_t i = 0; i < e->rcpt_count; i++) {
        if (count == 0 || !str_eq(e->rcpts[count - 1].address, e->rcpts[i].address)) {
            e->rcpts[count++] = e->rcpts[i];
        }
    }
    e->rcpt_count = count;
    return true;
}
