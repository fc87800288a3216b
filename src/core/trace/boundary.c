/* boundary.c: how far down the lines were written by hosts that are trusted. From the top, each
 * trusted line tells for certain who handed the message over; if that is a trusted host too, the
 * next line is its. */
#include "core/trace/judging.h"
#include "core/trace/organisation.h"

static bool is_trusted_name(const struct trace_trust *trust, struct str name)
{
    name = name.len > 0 && name.ptr[name.len - 1] == '.' ? str_head(name, name.len - 1) : name;
    for (size_t i = 0; i < trust->name_count; i++) {
        struct str one = trust->names[i];
        bool suffix = one.len > 0 && one.ptr[0] == '.';
        if (names_equal(name, one) ||
            (suffix && (str_ends_nocase(name, one) || str_eq_nocase(name, str_tail(one, 1))))) {
            return true;
        }
    }
    return false;
}

static bool is_trusted_address(const struct trace_trust *trust, struct ip ip)
{
    for (size_t i = 0; i < trust->network_count; i++) {
        if (network_contains(trust->networks[i], ip)) {
            return true;
        }
    }
    return false;
}

static bool is_trusted_writer(const struct trace_trust *trust, const struct received *r)
{
    struct ip ip;
    return is_trusted_name(trust, r->by) || (ip_parse(r->by, &ip) && is_trusted_address(trust, ip));
}

/* The client that a trusted line names is a host that is trusted. Its name counts if the receiver
 * found it in the DNS, or if its address is inside; what it called itself does not count. */
static bool client_is_trusted(struct judge *j, size_t upper, size_t lower)
{
    const struct received *u = &j->t->hops[upper].received;
    enum link_kind kind = j->links[lower].kind;
    bool named = (kind == LINK_NAME && j->links[lower].by_rdns) || kind == LINK_ADDRESS;
    bool ours = is_trusted_writer(j->trust, &j->t->hops[lower].received);
    if (is_trusted_address(j->trust, u->ip)) {
        return ours || kind != LINK_BROKEN;
    }
    return ours && (named || address_is_inside(u->ip) || u->ip.family == IP_NONE);
}

/* From one program of the host to the next, or from one host of a private network to the next. */
static bool stays_inside(const struct judge *j, size_t upper, size_t lower)
{
    const struct received *u = &j->t->hops[upper].received, *l = &j->t->hops[lower].received;
    enum link_kind kind = j->links[lower].kind;
    bool fits = kind == LINK_NAME || kind == LINK_LOCAL ||
                (kind == LINK_ORGANISATION && u->ip.family != IP_NONE);
    bool house = names_equal(u->by, l->by) || same_organisation(u->by, l->by) ||
                 !name_is_public(u->by) || name_is_localhost(l->by) || hop_is_transparent(l) ||
                 kind == LINK_LOCAL;
    return fits && house && (address_is_inside(u->ip) || u->ip.family == IP_NONE);
}

void judge_boundary(struct judge *j)
{
    struct trace *t = j->t;
    size_t last = TRACE_NONE;
    for (size_t i = 0; i < t->hop_count; i++) {
        size_t upper = j->links[i].upper;
        bool trusted = false;
        if (i == 0 || upper == TRACE_NONE) {
            trusted = j->trust->top || is_trusted_writer(j->trust, &t->hops[i].received);
        } else if (!hop_is_local_submission(&t->hops[i - 1])) {
            trusted = client_is_trusted(j, upper, i) || stays_inside(j, upper, i);
        }
        if (!trusted) {
            break;
        }
        t->hops[i].trusted = true;
        last = hop_is_transparent(&t->hops[i].received) && last != TRACE_NONE ? last : i;
        judge_note(j, i, RULE_TRUSTED, STR("written by a host that is trusted"));
    }
    t->boundary = last;
    t->boundary_ip = last == TRACE_NONE ? (struct ip){0} : t->hops[last].received.ip;
}
