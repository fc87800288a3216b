#include "path/policy/policy.h"

#include "path/route/local.h"

/* VRFY and EXPN: what a name or an address stands for. A name without a domain is looked for in
 * every domain of ours, as a mailbox, an alias, and as a person's full name. */

enum { MATCHES_MAX = 20 };

struct match {
    struct str address;
    struct str full_name;
    struct local_answer local;
};

struct matches {
    struct arena *arena;
    struct match found[MATCHES_MAX];
    size_t count;
};

static bool may_ask(const struct policy_client *client, enum config_asker asker)
{
    return asker == ASK_ANYONE || (asker == ASK_NETWORKS && policy_is_own(client));
}

static struct smtp_reply with_text(enum answer answer, struct str text)
{
    struct smtp_reply reply = *smtp_answer(answer);
    reply.text = text;
    return text.ptr ? reply : *smtp_answer(ANSWER_NO_MEMORY);
}

static void add_match(struct matches *m, struct str address, const struct local_answer *local)
{
    for (size_t i = 0; i < m->count; i++) {
        if (str_eq(m->found[i].address, address)) {
            return;
        }
    }
    if (m->count < MATCHES_MAX) {
        m->found[m->count++] = (struct match){
            .address = address,
            .full_name = local->user ? local->user->full_name : (struct str){0},
            .local = *local,
        };
    }
}

/* "local@domain" printed as envelopes have it; a null pointer where it is no address. */
static struct str canonical(struct str text, struct arena *arena)
{
    struct mailbox mailbox;
    if (mailbox_parse(text, &mailbox) != MAILBOX_OK) {
        return (struct str){0};
    }
    struct buf out = {0};
    mailbox_format(&out, &mailbox);
    struct str kept = out.failed ? (struct str){0} : arena_copy(arena, buf_str(&out));
    buf_done(&out);
    return kept;
}

static bool is_match(const struct local_answer *local)
{
    /* That a catch-all would take it, or that any name is a user, says nothing of this one. */
    return (local->verdict == LOCAL_MAILBOX && local->user) ||
           (local->verdict == LOCAL_ALIAS && local->alias);
}

static void look_in_domain(struct matches *m, const struct policy_client *client,
                           const struct config_domain *domain, struct str what)
{
    struct str written = arena_format(m->arena, "%.*s@%.*s", STR_ARG(what), STR_ARG(domain->name));
    struct str address = canonical(written, m->arena);
    if (address.ptr) {
        struct local_answer local = {0};
        local_find(client->config, address, m->arena, &local);
        if (is_match(&local)) {
            add_match(m, address, &local);
        }
    }
    for (size_t i = 0; i < domain->user_count; i++) {
        const struct config_user *user = &domain->users[i];
        if (user->full_name.len > 0 && str_eq_nocase(user->full_name, what)) {
            struct local_answer local = {.verdict = LOCAL_MAILBOX, .domain = domain, .user = user};
            struct str named =
                arena_format(m->arena, "%.*s@%.*s", STR_ARG(user->local), STR_ARG(domain->name));
            if (named.ptr) {
                add_match(m, named, &local);
            }
        }
    }
}

static struct str without_brackets(struct str what)
{
    bool bracketed = what.len >= 2 && str_starts(what, STR("<")) && str_ends(what, STR(">"));
    return bracketed ? str_from(what.ptr + 1, what.len - 2) : what;
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] > 0x7f) {
            return false;
        }
    }
    return true;
}

/* "Full Name <address>"; the name only where the client can read it. */
static struct str describe(const struct match *match, bool utf8, struct arena *arena)
{
    bool named = match->full_name.len > 0 && (utf8 || is_ascii(match->full_name));
    return arena_format(arena, "%.*s%s<%.*s>", STR_ARG(named ? match->full_name : STR("")),
                        named ? " " : "", STR_ARG(match->address));
}

static struct smtp_reply ambiguous(const struct matches *m, bool utf8)
{
    struct str text = STR("Ambiguous; these fit:");
    for (size_t i = 0; i < m->count; i++) {
        struct str line = describe(&m->found[i], utf8, m->arena);
        text = arena_format(m->arena, "%.*s\n%.*s", STR_ARG(text), STR_ARG(line));
    }
    return with_text(ANSWER_AMBIGUOUS, text);
}

/* The one address that mail goes on to; empty: a list, or a mailbox here under another name. */
static struct str forwarded_to(const struct policy_client *client, const struct local_answer *alias,
                               struct arena *arena)
{
    size_t count = 0;
    struct local_answer there = {0};
    struct str *members = local_members(alias, arena, &count);
    if (!members || count != 1 || str_find(members[0], '@') == STR_NONE) {
        return (struct str){0};
    }
    local_find(client->config, members[0], arena, &there);
    return there.verdict == LOCAL_NOT_OURS ? members[0] : (struct str){0};
}

static struct smtp_reply verified(const struct policy_client *client, const struct match *match,
                                  bool utf8, struct arena *arena)
{
    struct str away = {0};
    if (match->local.verdict == LOCAL_ALIAS) {
        away = forwarded_to(client, &match->local, arena);
    }
    if (away.len > 0 && (utf8 || is_ascii(away))) {
        return with_text(
            ANSWER_RCPT_FORWARDED,
            arena_format(arena, "Not a mailbox here; will be forwarded to <%.*s>", STR_ARG(away)));
    }
    return with_text(ANSWER_RCPT_OK, describe(match, utf8, arena));
}

static struct smtp_reply verify_address(const struct policy_client *client, struct str address,
                                        bool utf8, struct arena *arena)
{
    struct match match = {.address = address};
    local_find(client->config, address, arena, &match.local);
    if (match.local.no_memory) {
        return *smtp_answer(ANSWER_NO_MEMORY);
    }
    switch (match.local.verdict) {
    case LOCAL_NOT_OURS:
        return with_text(ANSWER_NOT_VERIFIED,
                         STR("The domain is not served here, so its mailboxes cannot be verified"));
    case LOCAL_UNKNOWN:
        return *smtp_answer(ANSWER_NO_SUCH_USER);
    case LOCAL_ALIAS:
        break;
    case LOCAL_MAILBOX:
        if (match.local.user) {
            match.full_name = match.local.user->full_name;
        }
        break;
    }
    return verified(client, &match, utf8, arena);
}

static void look_everywhere(struct matches *m, const struct policy_client *client, struct str what)
{
    for (size_t i = 0; i < client->config->domain_count; i++) {
        if (!str_eq(client->config->domains[i].name, STR("*"))) {
            look_in_domain(m, client, &client->config->domains[i], what);
        }
    }
}

struct smtp_reply policy_vrfy(const struct policy_client *client, struct str what, bool utf8,
                              struct arena *arena)
{
    if (!may_ask(client, client->config->vrfy)) {
        return *smtp_answer(ANSWER_NOT_VERIFIED);
    }
    what = without_brackets(what);
    if (!utf8 && !is_ascii(what)) {
        return *smtp_answer(ANSWER_NEEDS_UTF8);
    }
    struct str address = canonical(what, arena);
    if (address.ptr) {
        return verify_address(client, address, utf8, arena);
    }
    struct matches m = {.arena = arena};
    look_everywhere(&m, client, what);
    if (m.count > 1) {
        return ambiguous(&m, utf8);
    }
    return m.count == 1 ? verified(client, &m.found[0], utf8, arena)
                        : *smtp_answer(ANSWER_NO_SUCH_USER);
}

static struct str member_text(struct str member, struct arena *arena)
{
    if (str_starts(member, STR("/"))) {
        return STR("(a file)");
    }
    if (str_starts(member, STR("|"))) {
        return STR("(a program)");
    }
    return arena_format(arena, "<%.*s>", STR_ARG(member));
}

static struct smtp_reply expand(const struct local_answer *list, bool utf8, struct arena *arena)
{
    size_t count = 0;
    struct str *members = local_members(list, arena, &count);
    if (!members) {
        return *smtp_answer(ANSWER_NO_MEMORY);
    }
    struct buf text = {0};
    for (size_t i = 0; i < count; i++) {
        if (utf8 || is_ascii(members[i])) {
            buf_add(&text, text.len > 0 ? STR("\n") : STR(""));
            buf_add(&text, member_text(members[i], arena));
        }
    }
    struct str kept = text.failed ? (struct str){0} : arena_copy(arena, buf_str(&text));
    buf_done(&text);
    return with_text(ANSWER_RCPT_OK, kept);
}

struct smtp_reply policy_expn(const struct policy_client *client, struct str what, bool utf8,
                              struct arena *arena)
{
    if (!may_ask(client, client->config->expn)) {
        return *smtp_answer(ANSWER_EXPN_REFUSED);
    }
    what = without_brackets(what);
    if (!utf8 && !is_ascii(what)) {
        return *smtp_answer(ANSWER_NEEDS_UTF8);
    }
    struct matches m = {.arena = arena};
    struct str address = canonical(what, arena);
    if (address.ptr) {
        struct local_answer local = {0};
        local_find(client->config, address, arena, &local);
        if (is_match(&local)) {
            add_match(&m, address, &local);
        }
    } else {
        look_everywhere(&m, client, what);
    }
    if (m.count > 1) {
        return ambiguous(&m, utf8);
    }
    bool list = m.count == 1 && m.found[0].local.verdict == LOCAL_ALIAS;
    return list ? expand(&m.found[0].local, utf8, arena) : *smtp_answer(ANSWER_NOT_A_LIST);
}
