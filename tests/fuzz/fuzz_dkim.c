/* A message, a NUL, and a key record that every selector has: the signatures and the chain of ARC
 * end with a result and a reason, what is hashed is no longer than twice the message for each
 * signature, and neither depends on the pieces the body comes in. A "signature" is good if its
 * input's sum is even. */
#include "core/dns/build.h"
#include "core/mailauth/arc.h"

#include <stdlib.h>
#include <string.h>

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Instead of SHA-256: depends on every octet and its place. */
static void hash_body(struct dkim *d, size_t number, struct str body, size_t cap)
{
    uint8_t hash[SIGNATURE_HASH_SIZE] = {0};
    struct canon_body canon = d->bodies[number].canon;
    char piece[64];
    size_t at = 0;
    size_t n = 0;
    bool ended = false;
    while (!ended) {
        ended = body.len == 0;
        n = ended ? canon_body_end(&canon, piece, cap) : canon_body_take(&canon, &body, piece, cap);
        must(n <= cap);
        ended = ended && n == 0;
        for (size_t i = 0; i < n; i++, at++) {
            hash[at % sizeof hash] = (uint8_t)(hash[at % sizeof hash] * 31 + piece[i]);
        }
    }
    dkim_body(d, number, hash, canon.length);
}

static void answer_keys(struct dkim *d, struct str record)
{
    for (struct dns_question question; dkim_question(d, &question);) {
        struct dns_build b;
        struct dns_name name;
        must(dns_name_parse(question.name, &name));
        dns_build_start(&b, &name, DNS_TXT, DNS_NOERROR);
        dns_build_text(&b, &name, record);
        dkim_answer(d, question.id, &(struct dns_answer){.message = buf_str(&b.out)});
        buf_done(&b.out);
    }
}

static void work(struct dkim *d, size_t size)
{
    for (struct dkim_work todo; dkim_work(d, &todo);) {
        unsigned sum = 0;
        must(todo.input.len <= 2 * size + 2);
        for (size_t i = 0; i < todo.input.len; i++) {
            sum += (unsigned char)todo.input.ptr[i];
        }
        buf_done(&todo.input);
        dkim_worked(d, todo.check, sum % 2 ? DKIM_BAD : DKIM_GOOD);
    }
}

struct checked {
    struct arena arena;
    struct dkim dkim;
    struct arc arc;
};

static void run(struct checked *c, struct str message, struct str record, size_t cap)
{
    struct header_iter it = header_begin(message);
    for (struct header_field field; header_next(&it, &field);) {}
    must(dkim_start(&c->dkim, &c->arena, message, 1000));
    arc_start(&c->arc, &c->dkim);
    answer_keys(&c->dkim, record);
    for (size_t i = 0; i < c->dkim.body_count; i++) {
        hash_body(&c->dkim, i, header_body(&it), cap);
    }
    work(&c->dkim, message.len);
    must(dkim_done(&c->dkim));
    arc_conclude(&c->arc, &c->dkim);
    must(c->arc.reason.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str record = str_from((const char *)data, size < 40000 ? size : 40000);
    struct str message = str_split(&record, '\0');
    struct checked one = {.arena = {0}};
    struct checked other = {.arena = {0}};
    run(&one, message, record, 64);
    run(&other, message, record, 3);
    must(one.dkim.count == other.dkim.count && one.arc.result == other.arc.result);
    for (size_t i = 0; i < one.dkim.count; i++) {
        must(one.dkim.checks[i].result == other.dkim.checks[i].result);
        must(one.dkim.checks[i].reason.len > 0);
    }
    arena_done(&one.arena);
    arena_done(&other.arena);
    return 0;
}
