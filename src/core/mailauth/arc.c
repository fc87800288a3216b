#include "core/mailauth/arc.h"

#include "core/mailauth/tags.h"

#include <string.h>

static const char *const result_names[] = {"none", "pass", "fail"};

const char *arc_result_name(enum arc_result result)
{
    return result_names[result];
}

enum { PART_RESULTS, PART_MESSAGE, PART_SEAL };

static const struct str part_names[] = {
    [PART_RESULTS] = STR_INIT("ARC-Authentication-Results"),
    [PART_MESSAGE] = STR_INIT("ARC-Message-Signature"),
    [PART_SEAL] = STR_INIT("ARC-Seal"),
};

/* The seal of a set is of all fields of its set and of those before, in their order; itself with an
 * empty b= and no line end (section 5.1.1). */
static void seal_input(struct dkim *d, const struct dkim_check *check, struct buf *out)
{
    const struct arc *a = d->arc;
    for (size_t i = 0; i < check->signature.instance; i++) {
        const struct arc_set *set = &a->sets[i];
        bool last = i + 1 == check->signature.instance;
        canon_field(out, &set->results->field, true, (struct str){0});
        buf_add(out, STR("\r\n"));
        canon_field(out, &set->message->field, true, (struct str){0});
        buf_add(out, STR("\r\n"));
        canon_field(out, &set->seal->field, true,
                    last ? check->signature.raw_value : (struct str){0});
        buf_add(out, last ? STR("") : STR("\r\n"));
    }
}

/* "i=" of a field; of results it is all that may stand before the first semicolon. 0: none. */
static unsigned instance_of(int part, struct str value)
{
    uint64_t instance = 0;
    struct tags tags;
    if (part == PART_RESULTS) {
        struct str rest = value;
        if (!tags_parse(str_split(&rest, ';'), &tags)) {
            return 0;
        }
    } else if (!tags_parse(value, &tags)) {
        return 0;
    }
    return str_to_u64(tags_value(&tags, STR("i")), ARC_SETS_MAX, &instance) ? (unsigned)instance
                                                                            : 0;
}

static const struct canon_entry **place_of(struct arc_set *set, int part)
{
    return part == PART_RESULTS ? &set->results : part == PART_MESSAGE ? &set->message : &set->seal;
}

static void fault(struct arc *a, const char *words)
{
    a->fault = a->fault ? a->fault : words;
}

static void add_field(struct arc *a, int part, const struct canon_entry *entry)
{
    unsigned instance = instance_of(part, entry->field.value);
    if (instance == 0) {
        fault(a, "an ARC field has no instance (i=) from 1 to 50");
        a->count = a->count ? a->count : 1;
        return;
    }
    const struct canon_entry **place = place_of(&a->sets[instance - 1], part);
    if (*place) {
        fault(a, "an ARC set has a field twice");
    }
    *place = entry;
    a->count = instance > a->count ? instance : a->count;
}

/* Section 5.2, steps 1 to 3: every set is whole, and says what it must of those before. */
static void check_structure(struct arc *a)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct arc_set *set = &a->sets[i];
        struct tags tags;
        if (!set->results || !set->message || !set->seal) {
            fault(a, "an ARC set is not whole, or missing");
            return;
        }
        struct str chain = {0};
        if (tags_parse(set->seal->field.value, &tags)) {
            chain = tags_value(&tags, STR("cv"));
            a->sets[i].domain = tags_value(&tags, STR("d"));
        }
        if (str_eq_nocase(chain, STR("fail"))) {
            fault(a, "a handler found the chain broken already (cv=fail)");
        } else if (!str_eq_nocase(chain, i == 0 ? STR("none") : STR("pass"))) {
            fault(a, "a seal says of the chain before it what cannot be (cv=)");
        }
    }
}

void arc_start(struct arc *a, struct dkim *d)
{
    memset(a, 0, sizeof *a);
    d->arc = a;
    for (size_t i = 0; i < d->index.count; i++) {
        for (int part = PART_RESULTS; part <= PART_SEAL; part++) {
            if (str_eq_nocase(d->index.entries[i].field.name, part_names[part])) {
                add_field(a, part, &d->index.entries[i]);
            }
        }
    }
    check_structure(a);
    if (a->count == 0 || a->fault) {
        return;
    }
    a->newest = dkim_add(d, SIGNATURE_ARC, a->sets[a->count - 1].message);
    for (size_t i = a->count; i-- > 0;) {
        struct dkim_check *check = dkim_add(d, SIGNATURE_SEAL, a->sets[i].seal);
        a->sets[i].check = check;
        if (check) {
            check->input = seal_input;
        }
    }
}

/* False: the check did not pass, and that was the end. */
static bool passed(struct arc *a, struct dkim *d, const struct dkim_check *check, const char *what)
{
    if (check && check->result == DKIM_PASS) {
        return true;
    }
    a->result = ARC_FAIL;
    a->temporary = check && check->result == DKIM_TEMPERROR;
    a->reason = check ? arena_format(d->arena, "the %s of set %u (%.*s): %.*s", what,
                                     check->signature.instance, STR_ARG(check->signature.domain),
                                     STR_ARG(check->reason))
                      : STR("there are too many signatures");
    return false;
}

void arc_conclude(struct arc *a, struct dkim *d)
{
    if (a->count == 0) {
        a->reason = STR("there are no ARC fields");
        return;
    }
    if (a->fault) {
        a->result = ARC_FAIL;
        a->reason = str_from_cstr(a->fault);
        return;
    }
    if (!passed(a, d, a->newest, "message signature")) {
        return;
    }
    for (size_t i = a->count; i-- > 0;) {
        if (!passed(a, d, a->sets[i].check, "seal")) {
            return;
        }
    }
    a->result = ARC_PASS;
    a->reason = arena_format(d->arena, "the seals of all %zu sets verify, the newest is of %.*s",
                             a->count, STR_ARG(a->sets[a->count - 1].domain));
}
