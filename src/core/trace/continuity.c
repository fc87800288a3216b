/* continuity.c: what the links between lines say of the lower ones. */
#include "core/trace/judging.h"
#include "core/trace/organisation.h"

struct str shown(struct str text)
{
    enum { SHOWN_MAX = 80 };
    return str_head(text, SHOWN_MAX);
}

/* The client as a sentence names it: its name and address. */
static struct str client_of(struct judge *j, const struct received *r)
{
    char space[IP_TEXT_MAX];
    struct str name = r->rdns.len > 0 ? r->rdns : r->helo.len > 0 ? r->helo : r->from;
    if (r->ip.family == IP_NONE) {
        return name.len > 0 ? shown(name) : STR("a program on its own host");
    }
    struct str ip = ip_text(r->ip, space);
    return arena_format(j->arena, "%.*s [%.*s]", STR_ARG(shown(name)), STR_ARG(ip));
}

/* Does `lower` come from the host that wrote `upper`, by name? Then the two have changed places. */
static bool comes_from(const struct received *lower, const struct received *upper)
{
    return name_is_public(upper->by) &&
           (names_equal(lower->rdns, upper->by) || names_equal(lower->helo, upper->by));
}

static bool wrote(const struct received *r, const struct received *client_of)
{
    return name_is_public(r->by) &&
           (names_equal(r->by, client_of->rdns) || names_equal(r->by, client_of->helo));
}

/* The line above names as its client the writer of the next line, and that one names the writer of
 * this as its own: two lines changed places. */
static bool is_swapped(const struct judge *j, size_t i)
{
    const struct trace *t = j->t;
    const struct link *link = &j->links[i];
    if (link->upper == TRACE_NONE || i + 1 >= t->hop_count || link->kind == LINK_NAME ||
        link->kind == LINK_ADDRESS) {
        return false;
    }
    const struct received *here = &t->hops[i].received, *next = &t->hops[i + 1].received;
    return !names_equal(here->by, next->by) && comes_from(next, here) &&
           wrote(next, &t->hops[link->upper].received);
}

static void note_link(struct judge *j, size_t i)
{
    static const struct {
        enum rule rule;
        const char *says;
    } notes[] = {
        [LINK_TOP] = {RULE_COUNT, ""},
        [LINK_NAME] = {RULE_CONTINUITY_NAME, "is the host that the line above received from"},
        [LINK_ADDRESS] = {RULE_CONTINUITY_ADDRESS,
                          "has the address that the line above received from"},
        [LINK_ORGANISATION] = {RULE_CONTINUITY_ORGANISATION,
                               "is of the organisation that the line above received from"},
        [LINK_LOCAL] = {RULE_CONTINUITY_LOCAL,
                        "is inside the host or private network of the line above"},
        [LINK_HELO] = {RULE_CONTINUITY_HELO,
                       "is only what the client of the line above called itself"},
        [LINK_UNKNOWN] = {RULE_COUNT, ""},
        [LINK_BROKEN] = {RULE_COUNT, ""},
    };
    const struct link *link = &j->links[i];
    const struct received *r = &j->t->hops[i].received;
    struct str by = r->by.len > 0 ? shown(r->by) : STR("a program");
    if (link->kind == LINK_BROKEN) {
        struct str client = client_of(j, &j->t->hops[link->upper].received);
        judge_add(j, i, RULE_CONTINUITY, link->weight,
                  arena_format(j->arena,
                               "the line above received from %.*s, which is not %.*s, that claims "
                               "to have written this one",
                               STR_ARG(client), STR_ARG(by)));
    } else if (notes[link->kind].rule != RULE_COUNT) {
        judge_note(j, i, notes[link->kind].rule,
                   arena_format(j->arena, "%.*s %s", STR_ARG(by), notes[link->kind].says));
    }
}

void judge_continuity(struct judge *j)
{
    for (size_t i = 0; i < j->t->hop_count; i++) {
        if (j->t->hops[i].trusted) {
            continue;
        }
        note_link(j, i);
        if (is_swapped(j, i)) {
            judge_note(
                j, i, RULE_CONTINUITY_ORDER,
                arena_format(j->arena, "line %zu above received from %.*s, whose line is the next",
                             j->links[i].upper + 1, STR_ARG(shown(j->t->hops[i + 1].received.by))));
        }
    }
}
