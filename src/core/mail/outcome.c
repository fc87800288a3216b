#include "core/mail/outcome.h"

#include "core/base/scan.h"

#include <string.h>

enum { OUTCOME_VERSION = 1 };
enum { STATUS_NUMBER_MAX = 999, REPLY_CODE_MAX = 999 };
enum { HEARD_PASSED_ON = 1, HEARD_NO_BY = 2, HEARD_ALL = 3 };
enum { CHILD_SIZE_MIN = 4 + 4 }; /* two empty texts */

static void put_fields(struct buf *out, const struct outcome *o)
{
    buf_put_u8(out, OUTCOME_VERSION);
    buf_put_u32(out, o->rcpt);
    buf_put_u8(out, (uint8_t)o->kind);
    buf_put_u64(out, (uint64_t)o->at.us);
    buf_put_u64(out, (uint64_t)o->next.us);
    buf_put_u8(out, o->status.class);
    buf_put_u16(out, o->status.subject);
    buf_put_u16(out, o->status.detail);
    buf_put_u16(out, o->reply_code);
    buf_put_u8(
        out, (uint8_t)((o->passed_on ? HEARD_PASSED_ON : 0U) | (o->by_unheard ? HEARD_NO_BY : 0U)));
    buf_put_u8(out, (uint8_t)o->peer.ip.family);
    buf_add(out, str_from((const char *)o->peer.ip.bytes, sizeof(o->peer.ip.bytes)));
    buf_put_u16(out, o->peer.port);
    buf_put_str(out, o->host);
    buf_put_str(out, o->site);
    buf_put_str(out, o->text);
    buf_put_u32(out, (uint32_t)o->child_count);
    for (size_t i = 0; i < o->child_count; i++) {
        buf_put_str(out, o->children[i].address);
        buf_put_str(out, o->children[i].sender);
    }
}

void outcome_encode(struct buf *out, const struct outcome *o)
{
    struct buf fields = {0};
    put_fields(&fields, o);
    out->failed = out->failed || fields.failed;
    buf_put_str(out, buf_str(&fields));
    buf_done(&fields);
}

static struct endpoint get_peer(struct scan *sc)
{
    struct endpoint peer = {.ip = {.family = (enum ip_family)scan_get_u8(sc)}};
    struct str bytes = scan_take(sc, sizeof(peer.ip.bytes));
    peer.port = scan_get_u16(sc);
    if (peer.ip.family != IP_NONE && peer.ip.family != IP_V4 && peer.ip.family != IP_V6) {
        scan_fail(sc);
    }
    if (scan_ok(sc)) {
        memcpy(peer.ip.bytes, bytes.ptr, sizeof(peer.ip.bytes));
    }
    return peer;
}

static uint16_t get_number(struct scan *sc, uint16_t max)
{
    uint16_t value = scan_get_u16(sc);
    if (value > max) {
        scan_fail(sc);
    }
    return value;
}

static void get_children(struct scan *sc, struct arena *arena, struct outcome *o)
{
    o->child_count = scan_get_u32(sc);
    if (!scan_ok(sc) || o->child_count > sc->rest.len / CHILD_SIZE_MIN) {
        scan_fail(sc);
        return;
    }
    o->children = (struct outcome_child *)arena_array(arena, o->child_count, sizeof(*o->children));
    if (!o->children && o->child_count > 0) {
        scan_fail(sc);
        return;
    }
    for (size_t i = 0; i < o->child_count; i++) {
        o->children[i].address = scan_get_str(sc);
        o->children[i].sender = scan_get_str(sc);
    }
}

static struct outcome get_fields(struct scan *sc, struct arena *arena)
{
    struct outcome o = {0};
    if (scan_get_u8(sc) != OUTCOME_VERSION) {
        scan_fail(sc);
    }
    o.rcpt = scan_get_u32(sc);
    o.kind = (enum outcome_kind)scan_get_u8(sc);
    o.at.us = (int64_t)scan_get_u64(sc);
    o.next.us = (int64_t)scan_get_u64(sc);
    o.status.class = scan_get_u8(sc);
    o.status.subject = get_number(sc, STATUS_NUMBER_MAX);
    o.status.detail = get_number(sc, STATUS_NUMBER_MAX);
    o.reply_code = get_number(sc, REPLY_CODE_MAX);
    uint8_t heard = scan_get_u8(sc);
    o.passed_on = (heard & HEARD_PASSED_ON) != 0;
    o.by_unheard = (heard & HEARD_NO_BY) != 0;
    o.peer = get_peer(sc);
    o.host = scan_get_str(sc);
    o.site = scan_get_str(sc);
    o.text = scan_get_str(sc);
    get_children(sc, arena, &o);
    if (o.kind < OUTCOME_DELIVERED || o.kind > OUTCOME_REPORTED || o.status.class > 5 ||
        heard > HEARD_ALL) {
        scan_fail(sc);
    }
    return o;
}

int outcome_decode(struct str *bytes, struct arena *arena, struct outcome *o)
{
    if (bytes->len == 0) {
        return 0;
    }
    struct scan sc = {.rest = *bytes};
    struct scan fields = {.rest = scan_get_str(&sc)};
    struct outcome read = get_fields(&fields, arena);
    if (!scan_ok(&sc) || !scan_done(&fields)) {
        return -1;
    }
    *o = read;
    *bytes = sc.rest;
    return 1;
}

bool outcome_is_final(enum outcome_kind kind)
{
    switch (kind) {
    case OUTCOME_DELIVERED:
    case OUTCOME_RELAYED:
    case OUTCOME_EXPANDED:
    case OUTCOME_FAILED:
    case OUTCOME_EXPIRED:
    case OUTCOME_REMOVED:
        return true;
    case OUTCOME_DEFERRED:
    case OUTCOME_HELD:
    case OUTCOME_RELEASED:
    case OUTCOME_NOTIFIED:
    case OUTCOME_REPORTED:
        return false;
    }
    return false;
}

static bool status_eq(struct status_code a, struct status_code b)
{
    return a.class == b.class && a.subject == b.subject && a.detail == b.detail;
}

bool outcome_alike(const struct outcome *a, const struct outcome *b)
{
    return a->kind == b->kind && a->at.us == b->at.us && a->next.us == b->next.us &&
           status_eq(a->status, b->status) && a->reply_code == b->reply_code &&
           a->passed_on == b->passed_on && a->by_unheard == b->by_unheard &&
           ip_eq(a->peer.ip, b->peer.ip) && a->peer.port == b->peer.port &&
           str_eq(a->host, b->host) && str_eq(a->site, b->site) && str_eq(a->text, b->text) &&
           a->child_count == 0 && b->child_count == 0;
}
