#include "core/mailauth/dkim.h"

#include <string.h>

static const char *const result_names[] = {"open",   "pass",      "fail",
                                           "policy", "temperror", "permerror"};

const char *dkim_result_name(enum dkim_result result)
{
    return result_names[result];
}

static void end(struct dkim_check *check, enum dkim_result result, struct str reason)
{
    check->result = result;
    check->reason = reason;
}

static void end_words(struct dkim_check *check, enum dkim_result result, const char *reason)
{
    end(check, result, str_from_cstr(reason));
}

/* The fields that it names, then itself with an empty b= and no line end (section 3.7). */
static void message_input(struct dkim *d, const struct dkim_check *check, struct buf *out)
{
    const struct signature *s = &check->signature;
    canon_fields(out, &d->index, s->fields, s->header_relaxed);
    canon_field(out, &s->field, s->header_relaxed, s->raw_value);
}

/* Which of the bodies it is of: one that is wanted already, or one more. */
static size_t body_of(struct dkim *d, const struct signature *s)
{
    struct canon_body canon = {
        .relaxed = s->body_relaxed, .has_limit = s->has_length, .limit = s->length};
    size_t i = 0;
    while (i < d->body_count && (d->bodies[i].canon.relaxed != canon.relaxed ||
                                 d->bodies[i].canon.has_limit != canon.has_limit ||
                                 d->bodies[i].canon.limit != canon.limit)) {
        i++;
    }
    if (i == d->body_count) {
        d->bodies[d->body_count++].canon = canon;
    }
    return i;
}

/* Asks for the key, unless the signature is worth nothing whatever the key is. */
static void begin(struct dkim *d, struct dkim_check *check)
{
    const struct signature *s = &check->signature;
    if (s->algorithm == ALGORITHM_RSA_SHA1) {
        end_words(check, DKIM_POLICY, "it uses SHA-1, which is no longer believed (RFC 8301)");
        return;
    }
    if (s->has_end && d->now > s->end) {
        end(check, DKIM_FAIL,
            arena_format(d->arena, "it is over since %lld (x=, Unix seconds)", (long long)s->end));
        return;
    }
    check->body = s->kind == SIGNATURE_SEAL ? STR_NONE : body_of(d, s);
    struct str name =
        arena_format(d->arena, "%.*s._domainkey.%.*s", STR_ARG(s->selector), STR_ARG(s->domain));
    chain_start(&check->chain, d->arena, NULL, name, DNS_TXT);
}

static void take_key(struct dkim *d, struct dkim_check *check);

struct dkim_check *dkim_add(struct dkim *d, enum signature_kind kind,
                            const struct canon_entry *entry)
{
    if (d->count == DKIM_CHECKS_MAX) {
        return NULL;
    }
    struct dkim_check *check = &d->checks[d->count++];
    const char *fault = signature_parse(&check->signature, d->arena, kind, &entry->field);
    check->position = entry->position;
    check->input = message_input;
    if (fault) {
        end_words(check, DKIM_PERMERROR, fault);
        return check;
    }
    begin(d, check);
    if (check->result == DKIM_OPEN && check->chain.verdict != CHAIN_ASKING) {
        take_key(d, check); /* a name that cannot be needs no question */
    }
    return check;
}

bool dkim_start(struct dkim *d, struct arena *arena, struct str header, int64_t now)
{
    static const struct str name = STR_INIT("DKIM-Signature");
    memset(d, 0, sizeof *d);
    d->arena = arena;
    d->now = now;
    d->checks = arena_array(arena, DKIM_CHECKS_MAX, sizeof *d->checks);
    d->bodies = arena_array(arena, DKIM_CHECKS_MAX, sizeof *d->bodies);
    if (!d->checks || !d->bodies || !canon_index_make(&d->index, arena, header)) {
        return false;
    }
    d->left_out = d->index.too_many;
    /* Of one name the lowest field stands first. */
    for (size_t i = d->index.count; i-- > 0;) {
        if (!str_eq_nocase(d->index.entries[i].field.name, name)) {
            continue;
        }
        if (d->count == DKIM_SIGNATURES_MAX) {
            d->left_out = true;
            break;
        }
        (void)dkim_add(d, SIGNATURE_DKIM, &d->index.entries[i]);
    }
    return true;
}

bool dkim_question(struct dkim *d, struct dns_question *question)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->checks[i].result == DKIM_OPEN && chain_question(&d->checks[i].chain, question)) {
            question->id = (uint32_t)i;
            return true;
        }
    }
    return false;
}

/* One TXT record at the selector; null, or why it is of no use. */
static const char *add_key(struct dkim *d, struct dkim_check *check,
                           const struct dns_record *record)
{
    static const char *const words[] = {
        [KEY_GOOD] = NULL,
        [KEY_REVOKED] = "its key is withdrawn (p= is empty)",
        [KEY_OTHER] = "the key at its selector is not for such a signature",
        [KEY_BROKEN] = "the record at its selector is no key",
    };
    struct buf text = {0};
    struct key *key = &check->keys[check->key_count];
    dns_record_text(&text, record);
    enum key_finding finding = KEY_BROKEN;
    if (!text.failed) {
        finding = key_parse(key, d->arena, buf_str(&text), check->signature.algorithm);
    }
    buf_done(&text);
    if (finding == KEY_GOOD && key->strict && check->signature.identity_below) {
        return "its key (t=s) is not for identities below the domain (i=)";
    }
    check->key_count += finding == KEY_GOOD;
    return words[finding];
}

static void take_records(struct dkim *d, struct dkim_check *check)
{
    const char *fault = "there is no key at its selector";
    struct dns_record_iter it = chain_records_begin(&check->chain);
    for (struct dns_record record;
         check->key_count < DKIM_KEYS_MAX && chain_record_next(&check->chain, &it, &record);) {
        const char *wrong = add_key(d, check, &record);
        fault = wrong ? wrong : fault;
    }
    if (check->key_count == 0) {
        end_words(check, DKIM_PERMERROR, fault);
    }
}

static void take_key(struct dkim *d, struct dkim_check *check)
{
    switch (check->chain.verdict) {
    case CHAIN_ASKING:
        break;
    case CHAIN_FOUND:
        take_records(d, check);
        break;
    case CHAIN_NODATA:
    case CHAIN_NXDOMAIN:
    case CHAIN_LOOP:
    case CHAIN_TOO_LONG:
        end(check, DKIM_PERMERROR,
            arena_format(d->arena, "there is no key at %.*s", STR_ARG(check->chain.end)));
        break;
    case CHAIN_TEMPORARY:
        end(check, DKIM_TEMPERROR,
            arena_format(d->arena, "its key %.*s could not be had: %s", STR_ARG(check->chain.end),
                         check->chain.reason));
        break;
    }
}

void dkim_answer(struct dkim *d, uint32_t id, const struct dns_answer *answer)
{
    if (id < d->count && d->checks[id].result == DKIM_OPEN) {
        chain_answer(&d->checks[id].chain, answer);
        take_key(d, &d->checks[id]);
    }
}

void dkim_body(struct dkim *d, size_t body, const uint8_t hash[SIGNATURE_HASH_SIZE],
               uint64_t length)
{
    memcpy(d->bodies[body].hash, hash, SIGNATURE_HASH_SIZE);
    d->bodies[body].length = length;
    d->bodies[body].known = true;
}

/* The body's part of the check. False: it is not what was signed, and that was the end. */
static bool body_fits(const struct dkim *d, struct dkim_check *check)
{
    if (check->body == STR_NONE) {
        return true;
    }
    const struct dkim_body *body = &d->bodies[check->body];
    struct str hash = str_from((const char *)body->hash, sizeof body->hash);
    if (check->signature.has_length && check->signature.length > body->length) {
        end_words(check, DKIM_FAIL, "the body is shorter than what was signed (l=)");
    } else if (!str_eq(hash, check->signature.body_hash)) {
        end_words(check, DKIM_FAIL, "the body was changed after it was signed");
    }
    return check->result == DKIM_OPEN;
}

static bool is_ready(const struct dkim *d, const struct dkim_check *check)
{
    return check->result == DKIM_OPEN && check->key_count > 0 && !check->handed_out &&
           (check->body == STR_NONE || d->bodies[check->body].known);
}

bool dkim_work(struct dkim *d, struct dkim_work *work)
{
    for (size_t i = 0; i < d->count; i++) {
        struct dkim_check *check = &d->checks[i];
        if (!is_ready(d, check) || !body_fits(d, check)) {
            continue;
        }
        *work = (struct dkim_work){.check = i,
                                   .algorithm = check->signature.algorithm,
                                   .key = check->keys[check->key_at].octets,
                                   .signature = check->signature.octets};
        check->input(d, check, &work->input);
        if (work->input.failed) {
            buf_done(&work->input);
            end_words(check, DKIM_TEMPERROR, "there is no memory to check it");
            continue;
        }
        check->handed_out = true;
        return true;
    }
    return false;
}

static const struct {
    enum dkim_result result;
    const char *reason;
} endings[] = {
    [DKIM_GOOD] = {DKIM_PASS, "it verifies"},
    [DKIM_BAD] = {DKIM_FAIL,
                  "the header was changed after it was signed, or another key signed it"},
    [DKIM_KEY_BROKEN] = {DKIM_PERMERROR, "the record at its selector is no key"},
    [DKIM_KEY_SHORT] = {DKIM_POLICY, "its key has less than 1,024 bits (RFC 8301)"},
};

void dkim_worked(struct dkim *d, size_t number, enum dkim_verdict verdict)
{
    struct dkim_check *check = &d->checks[number];
    check->handed_out = false;
    check->testing = check->keys[check->key_at].testing;
    if (verdict != DKIM_GOOD && check->key_at + 1 < check->key_count) {
        check->key_at++; /* several keys at one selector: any may be the one */
        return;
    }
    end_words(check, endings[verdict].result, endings[verdict].reason);
    if (verdict == DKIM_GOOD && check->testing) {
        end_words(check, DKIM_PASS, "it verifies, but its key is for tests only (t=y)");
    }
}

bool dkim_done(const struct dkim *d)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->checks[i].result == DKIM_OPEN) {
            return false;
        }
    }
    return true;
}

void dkim_give_up(struct dkim *d, const char *reason)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->checks[i].result == DKIM_OPEN) {
            end_words(&d->checks[i], DKIM_TEMPERROR, reason);
        }
    }
}

const struct dkim_check *dkim_at(const struct dkim *d, size_t position)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->checks[i].position == position) {
            return &d->checks[i];
        }
    }
    return NULL;
}
