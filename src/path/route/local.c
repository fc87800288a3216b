#include "path/route/local.h"

#include "core/base/map.h"
#include "path/route/domains.h"

#include <string.h>

/* What is being looked for, while local_find() tries one rule after the other. */
struct search {
    const struct config *config;
    const struct config_domain *domain;
    struct arena *arena;
    bool *no_memory;        /* set where memory failed: what was not found may be there */
    struct str domain_name; /* as the address has it, A-labels */
    struct str whole;       /* the local part, unquoted, in lower case */
};

static struct str lower_local(const struct mailbox *mailbox, struct arena *arena)
{
    char room[LOCAL_LEN_MAX];
    struct buf text = BUF_IN(room);
    mailbox_local_unquoted(&text, mailbox);
    for (size_t i = 0; i < text.len; i++) {
        text.ptr[i] = ascii_lower(text.ptr[i]);
    }
    struct str made = text.failed ? (struct str){0} : arena_copy(arena, buf_str(&text));
    buf_done(&text);
    return made;
}

static struct str join(struct arena *arena, struct str local, struct str domain)
{
    return arena_format(arena, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain));
}

/* join(), which tells of a failure. */
static struct str joined(const struct search *s, struct str local, struct str domain)
{
    struct str made = join(s->arena, local, domain);
    *s->no_memory = *s->no_memory || !made.ptr;
    return made;
}

/* The key with the domain is the more exact one and goes first. */
static const struct alias *alias_of(const struct search *s, struct str local)
{
    const struct alias *found = local_find_alias(s->domain, joined(s, local, s->domain->name));
    return found ? found : local_find_alias(s->domain, local);
}

static bool take_alias(const struct search *s, struct str local, struct local_answer *answer)
{
    const struct alias *found = alias_of(s, local);
    if (!found) {
        return false;
    }
    answer->verdict = LOCAL_ALIAS;
    answer->alias = found;
    answer->local = local;
    /* An owner's own errors go to nobody else, or two lists could write to each other for ever. */
    if (!str_starts(local, STR("owner-"))) {
        struct str owner = arena_format(s->arena, "owner-%.*s", STR_ARG(local));
        *s->no_memory = *s->no_memory || !owner.ptr;
        if (owner.ptr && alias_of(s, owner)) {
            answer->owner = joined(s, owner, s->domain->name);
        }
    }
    return true;
}

static bool take_user(const struct search *s, struct str local, struct local_answer *answer)
{
    const struct config_user *user = local_find_user(s->domain, local);
    if (!user) {
        return false;
    }
    answer->verdict = LOCAL_MAILBOX;
    answer->user = user;
    answer->local = local;
    return true;
}

static void take_single(const struct search *s, struct str address, struct local_answer *answer)
{
    answer->verdict = LOCAL_ALIAS;
    answer->single =
        str_rfind(address, '@') == STR_NONE ? joined(s, address, s->domain->name) : address;
    answer->local = s->whole;
}

/* The address itself, as one that another rule may lead to: that would be a circle of one. */
static bool is_itself(const struct search *s, struct str address)
{
    struct str with_domain = joined(s, s->whole, s->domain_name);
    return str_eq_nocase(address, with_domain) ||
           (str_rfind(address, '@') == STR_NONE && str_eq_nocase(address, s->whole));
}

static const struct config_domain *with_users(const struct search *s)
{
    if (s->domain->user_count > 0) {
        return s->domain;
    }
    for (size_t i = 0; i < s->config->domain_count; i++) {
        if (s->config->domains[i].user_count > 0) {
            return &s->config->domains[i];
        }
    }
    return NULL;
}

/* RFC 5321 4.5.1: somebody must read postmaster's mail. In this order: whom the configuration names
 * for it, the first user of the domain, of any domain, and at last a mailbox of that name. */
static void take_postmaster(const struct search *s, struct local_answer *answer)
{
    struct str named = s->config->queue.bounce_postmaster;
    const struct config_domain *domain = with_users(s);
    if (named.len > 0 && !is_itself(s, named)) {
        take_single(s, named, answer);
    } else if (domain) {
        take_single(s, joined(s, domain->users[0].local, domain->name), answer);
    } else {
        answer->verdict = LOCAL_MAILBOX;
        answer->local = s->whole;
    }
}

/* The part before the separator, as the mailbox's name: not empty, so "+x" is a name of its own. */
static bool split_tag(const struct search *s, struct str *base, struct str *tag)
{
    char separator = s->domain->tag_separator;
    size_t at = separator ? str_find(s->whole, separator) : STR_NONE;
    if (at == STR_NONE || at == 0) {
        *base = s->whole;
        *tag = (struct str){0};
        return false;
    }
    *base = str_head(s->whole, at);
    *tag = str_tail(s->whole, at + 1);
    return true;
}

static void find_in_domain(const struct search *s, bool no_alias, struct local_answer *answer)
{
    struct str base;
    struct str tag;
    bool tagged = split_tag(s, &base, &tag);
    answer->verdict = LOCAL_UNKNOWN;
    answer->local = base;
    if ((!no_alias && take_alias(s, s->whole, answer)) || take_user(s, s->whole, answer)) {
        return;
    }
    answer->tag = tag;
    if (tagged && ((!no_alias && take_alias(s, base, answer)) || take_user(s, base, answer))) {
        return;
    }
    struct str catch_all = s->domain->catch_all;
    if (s->domain->any_user) {
        answer->verdict = LOCAL_MAILBOX;
    } else if (!no_alias && str_eq(s->whole, STR("postmaster"))) {
        take_postmaster(s, answer);
    } else if (!no_alias && catch_all.len > 0 && !is_itself(s, catch_all)) {
        take_single(s, catch_all, answer);
    }
}

void local_find(const struct config *config, struct str address, struct arena *arena,
                struct local_answer *answer)
{
    memset(answer, 0, sizeof *answer);
    answer->verdict = LOCAL_NOT_OURS;
    bool no_alias = address.len > 0 && address.ptr[0] == '\\';
    struct mailbox mailbox;
    if (mailbox_parse(no_alias ? str_tail(address, 1) : address, &mailbox) != MAILBOX_OK) {
        return;
    }
    struct search s = {.config = config,
                       .arena = arena,
                       .no_memory = &answer->no_memory,
                       .whole = lower_local(&mailbox, arena)};
    s.domain = local_own_domain(config, &mailbox.domain, arena, &s.domain_name);
    /* <postmaster> is taken as our host's, which need not be a domain of ours otherwise. */
    if (!s.domain && config->domain_count > 0 && str_eq(s.whole, STR("postmaster")) &&
        str_eq_nocase(s.domain_name, config->hostname)) {
        s.domain = &config->domains[0];
    }
    if (!s.domain) {
        return;
    }
    answer->domain = s.domain;
    if (!s.whole.ptr) {
        answer->verdict = LOCAL_UNKNOWN;
        answer->no_memory = true;
        return;
    }
    find_in_domain(&s, no_alias, answer);
}

/* An address of a user of this domain that no alias stands before. */
static bool is_plain_mailbox(const struct config_domain *domain, struct str address,
                             struct arena *arena)
{
    size_t at = str_rfind(address, '@');
    struct str local = str_head(address, at);
    return str_eq_nocase(str_tail(address, at + 1), domain->name) &&
           local_find_user(domain, local) && !local_find_alias(domain, local) &&
           !local_find_alias(domain, join(arena, local, domain->name));
}

/* A member that is the alias's own name means the mailbox behind it (aliases(5): the second look at
 * the name would find the alias again), and so does a backslash before it. */
static struct str member_text(const struct local_answer *answer, const struct alias_target *target,
                              struct arena *arena)
{
    struct str text = str_trim(target->text);
    bool escaped = text.len > 1 && text.ptr[0] == '\\';
    switch (target->kind) {
    case ALIAS_FILE:
        return arena_format(arena, "\\%.*s", STR_ARG(text));
    case ALIAS_PIPE:
        return arena_format(arena, "\\%s%.*s", str_starts(text, STR("|")) ? "" : "|",
                            STR_ARG(text));
    case ALIAS_ADDRESS:
        break;
    }
    text = escaped ? str_tail(text, 1) : text;
    /* A quoted local part may hold an "@": the domain's is after the quotes. */
    if (str_rfind(text, '@') == STR_NONE || text.ptr[text.len - 1] == '"') {
        text = join(arena, text, answer->domain->name);
    }
    struct str itself = join(arena, answer->local, answer->domain->name);
    if (escaped && is_plain_mailbox(answer->domain, text, arena)) {
        return text; /* so that it is the same member as the one without a backslash */
    }
    if (escaped || str_eq_nocase(text, itself)) {
        text = arena_format(arena, "\\%.*s", STR_ARG(text));
    }
    return text;
}

/* Lists may have many thousands of members, so duplicates are found by hash. */
struct member {
    struct map_node node;
    struct str text;
};

static bool same_member(struct str a, struct str b)
{
    bool exact = str_starts(a, STR("\\/")) || str_starts(a, STR("\\|"));
    return exact ? str_eq(a, b) : str_eq_nocase(a, b);
}

/* Takes note of the member; true where it was there already. A failure of memory lets a duplicate
 * through, which is the lesser evil. */
static bool seen_before(struct map *seen, struct member *member, struct str text)
{
    /* The texts are the administrator's own: the seed need not be secret. */
    uint64_t hash = hash_nocase((struct hash_seed){1, 2}, text);
    for (struct map_node *n = map_find(seen, hash); n; n = map_find_next(n)) {
        if (same_member(CONTAINER_OF(n, struct member, node)->text, text)) {
            return true;
        }
    }
    member->text = text;
    (void)!map_insert(seen, &member->node, hash);
    return false;
}

struct str *local_targets(const struct local_answer *answer, struct arena *arena, size_t *count)
{
    size_t most = answer->alias ? answer->alias->target_count : 1;
    struct str *texts = arena_array(arena, most ? most : 1, sizeof *texts);
    struct member *members = arena_array(arena, most ? most : 1, sizeof *members);
    struct map seen = {0};
    *count = 0;
    if (!texts || !members) {
        return NULL;
    }
    if (!answer->alias) {
        texts[(*count)++] = answer->single;
        return texts;
    }
    for (size_t i = 0; i < most; i++) {
        struct str text = member_text(answer, &answer->alias->targets[i], arena);
        if (!text.ptr) {
            texts = NULL;
            break;
        }
        if (!seen_before(&seen, &members[i], text)) {
            texts[(*count)++] = text;
        }
    }
    map_done(&seen);
    return texts;
}

struct str *local_members(const struct local_answer *answer, struct arena *arena, size_t *count)
{
    struct str *texts = local_targets(answer, arena, count);
    for (size_t i = 0; texts && i < *count; i++) {
        texts[i] = str_starts(texts[i], STR("\\")) ? str_tail(texts[i], 1) : texts[i];
    }
    return texts;
}
