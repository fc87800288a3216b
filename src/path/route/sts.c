#include "path/route/sts_inside.h"

#include <stdlib.h>
#include <string.h>

static struct instant now_of(const struct sts_office *office)
{
    return office->ports->clock->wall(office->ports->clock);
}

/* Seconds since the policy was fetched; a clock set back makes it new, not good for ever. */
static int64_t age_of(const struct sts_entry *entry)
{
    int64_t age = span_seconds(instant_since(now_of(entry->office), entry->kept.fetched));
    return age < 0 ? 0 : age;
}

static bool is_good(const struct sts_entry *entry)
{
    return entry->has && age_of(entry) < entry->kept.policy.max_age;
}

static bool is_promised(const struct sts_entry *entry)
{
    return entry->work->id.len > 0;
}

static void answer(struct sts_query *query, const struct sts_entry *entry, bool use)
{
    struct timers *timers = query->office->ports->timers;
    timers->cancel(timers, &query->limit);
    list_remove(&query->link);
    query->impl = NULL;
    query->policy = (struct sts_policy){0};
    query->trouble = is_promised(entry) && !use ? entry->trouble : STS_FINE;
    if (use) {
        query->policy = entry->kept.policy;
        query->policy.mx = arena_copy(query->arena, entry->kept.policy.mx);
        struct str mode = sts_mode_word(query->policy.mode);
        query->why = arena_format(query->arena, "mode %.*s, id %.*s, %lld of %u seconds old",
                                  STR_ARG(mode), STR_ARG(entry->kept.id), (long long)age_of(entry),
                                  (unsigned)entry->kept.policy.max_age);
    } else {
        query->why = is_promised(entry) ? arena_copy(query->arena, buf_str(&entry->why)) : STR("");
    }
    if (use && !query->policy.mx.ptr) { /* never less than was promised */
        query->policy = (struct sts_policy){.mode = STS_ENFORCE};
    }
    query->done(query);
}

/* `use`: what is kept, though it may be of age 0. */
static void answer_all(struct sts_entry *entry, bool use)
{
    struct list now;
    list_init(&now);
    for (struct list *node; (node = list_pop(&entry->waiting));) {
        list_append(&now, node);
    }
    for (struct list *node; (node = list_pop(&now));) {
        answer(CONTAINER_OF(node, struct sts_query, link), entry, use);
    }
}

static void begin(struct sts_entry *entry);

/* Null: no memory. */
static struct sts_work *take_work(struct sts_entry *entry)
{
    if (!entry->work && (entry->work = calloc(1, sizeof *entry->work)) != NULL) {
        entry->work->entry = entry;
    }
    return entry->work;
}

static void end_work(struct sts_entry *entry)
{
    if (entry->work) {
        arena_done(&entry->work->arena);
        free(entry->work);
        entry->work = NULL;
    }
}

/* Those that came while the work was being ended begin anew. */
static void rest(struct sts_entry *entry)
{
    entry->busy = false;
    if (list_empty(&entry->waiting)) {
        end_work(entry);
        return;
    }
    arena_done(&entry->work->arena);
    *entry->work = (struct sts_work){.entry = entry};
    begin(entry);
}

static void fetched(struct sts_entry *entry)
{
    bool fresh = entry->trouble == STS_FINE;
    answer_all(entry, fresh || is_good(entry));
    if (fresh) {
        sts_save(entry, rest);
    } else {
        rest(entry);
    }
}

/* The record is known, or that there is none: a policy that is good still holds without. */
static void decide(struct sts_entry *entry)
{
    bool good = is_good(entry);
    bool may_fetch = is_promised(entry) && !instant_before(now_of(entry->office), entry->again);
    bool same = good && str_eq(entry->work->id, entry->kept.id);
    bool due = good && age_of(entry) >= entry->kept.policy.max_age / 2;
    if (!may_fetch || (same && !due)) {
        answer_all(entry, good);
        rest(entry);
        return;
    }
    if (same) { /* nobody waits while it is made young again */
        answer_all(entry, true);
    }
    sts_fetch(entry, fetched);
}

static bool next_question(struct asker *asker, struct dns_question *question)
{
    return chain_question(&CONTAINER_OF(asker, struct sts_work, asker)->chain, question);
}

static void take_answer(struct asker *asker, uint32_t id, const struct dns_answer *answer)
{
    (void)id; /* it asks one thing at a time */
    chain_answer(&CONTAINER_OF(asker, struct sts_work, asker)->chain, answer);
}

/* Records of other kinds are passed over; of several of this one none counts (3.1). */
static struct str read_record(struct sts_entry *entry)
{
    struct str id, found = {0};
    size_t count = 0;
    struct dns_record_iter it = chain_records_begin(&entry->work->chain);
    for (struct dns_record record; chain_record_next(&entry->work->chain, &it, &record);) {
        struct buf text = {0};
        dns_record_text(&text, &record);
        if (sts_record_parse(buf_str(&text), &id)) {
            found = arena_copy(&entry->work->arena, id);
            count++;
        }
        buf_done(&text);
    }
    return count == 1 ? found : (struct str){0};
}

static void turned(struct asker *asker)
{
    struct sts_entry *entry = CONTAINER_OF(asker, struct sts_work, asker)->entry;
    if (entry->work->chain.verdict != CHAIN_ASKING) {
        if (entry->work->chain.verdict == CHAIN_FOUND) {
            entry->work->id = read_record(entry);
        }
        decide(entry);
    }
}

static void ask_record(struct sts_entry *entry)
{
    struct str name = arena_format(&entry->work->arena, "_mta-sts.%.*s", STR_ARG(entry->domain));
    entry->loaded = true;
    if (entry->office->stopped) {
        return;
    }
    entry->work->asker = (struct asker){.resolver = entry->office->ports->resolver,
                                        .question = next_question,
                                        .answer = take_answer,
                                        .turned = turned};
    chain_start(&entry->work->chain, &entry->work->arena, NULL, name, DNS_TXT);
    if (entry->work->chain.verdict != CHAIN_ASKING) {
        decide(entry); /* no memory, or no name that the DNS can hold */
        return;
    }
    asker_ask(&entry->work->asker);
}

static void begin(struct sts_entry *entry)
{
    if (entry->office->stopped) {
        return;
    }
    entry->busy = true;
    if (entry->loaded) {
        ask_record(entry);
    } else {
        sts_load(entry, ask_record);
    }
}

static void on_limit(struct timer *timer)
{
    struct sts_query *query = CONTAINER_OF(timer, struct sts_query, limit);
    struct sts_entry *entry = query->impl;
    if (!query->begun) {
        query->begun = true;
        query->office->ports->timers->arm(query->office->ports->timers, timer,
                                          query->office->patience);
        if (!entry->busy) {
            begin(entry); /* which may answer at once */
        }
        return;
    }
    if (!is_good(entry)) {
        entry->trouble = STS_NOT_FETCHED;
        buf_clear(&entry->why);
        buf_add(&entry->why, STR("its policy is not there in time"));
    }
    answer(query, entry, is_good(entry));
}

static struct sts_entry *find(struct sts_office *office, struct str domain)
{
    uint64_t hash = hash_bytes(office->seed, domain);
    for (struct map_node *n = map_find(&office->entries, hash); n; n = map_find_next(n)) {
        struct sts_entry *entry = CONTAINER_OF(n, struct sts_entry, node);
        if (str_eq(entry->domain, domain)) {
            return entry;
        }
    }
    return NULL;
}

static void free_entry(struct sts_entry *entry)
{
    map_remove(&entry->office->entries, &entry->node);
    buf_done(&entry->why);
    arena_done(&entry->memory);
    end_work(entry);
    free(entry);
}

/* One that nobody uses goes; what it knew is on disk. */
static bool make_room(struct sts_office *office)
{
    struct map_iter it = map_begin(&office->entries);
    if (office->entries.count < STS_DOMAINS_MAX) {
        return true;
    }
    for (struct map_node *n; (n = map_next(&it));) {
        struct sts_entry *entry = CONTAINER_OF(n, struct sts_entry, node);
        if (!entry->busy && list_empty(&entry->waiting)) {
            free_entry(entry);
            return true;
        }
    }
    return false;
}

static struct sts_entry *make(struct sts_office *office, struct str domain)
{
    struct sts_entry *entry = make_room(office) ? calloc(1, sizeof *entry + domain.len) : NULL;
    if (!entry) {
        return NULL;
    }
    char *name = (char *)(entry + 1);
    memcpy(name, domain.ptr, domain.len);
    entry->domain = str_from(name, domain.len);
    entry->office = office;
    list_init(&entry->waiting);
    if (!map_insert(&office->entries, &entry->node, hash_bytes(office->seed, entry->domain))) {
        free(entry);
        return NULL;
    }
    return entry;
}

bool sts_start(struct sts_query *query)
{
    struct sts_office *office = query->office;
    struct timers *timers = office->ports->timers;
    struct sts_entry *entry = query->domain.len > 0 ? find(office, query->domain) : NULL;
    if (!entry && query->domain.len > 0) {
        entry = make(office, query->domain);
    }
    if (!entry || !take_work(entry)) {
        return false;
    }
    query->impl = entry;
    query->limit = (struct timer){.fire = on_limit};
    query->begun = false;
    list_append(&entry->waiting, &query->link);
    timers->arm(timers, &query->limit, SPAN_S(0));
    return true;
}

void sts_cancel(struct sts_query *query)
{
    struct sts_entry *entry = query->impl;
    if (entry) {
        struct timers *timers = query->office->ports->timers;
        timers->cancel(timers, &query->limit);
        list_remove(&query->link);
        query->impl = NULL;
        if (!entry->busy && list_empty(&entry->waiting)) {
            end_work(entry);
        }
    }
}

void sts_office_init(struct sts_office *office)
{
    struct entropy *entropy = office->ports->entropy;
    office->entries = (struct map){0};
    office->seed = (struct hash_seed){entropy->u64(entropy), entropy->u64(entropy)};
}

void sts_office_stop(struct sts_office *office)
{
    struct map_iter it = map_begin(&office->entries);
    office->stopped = true;
    for (struct map_node *n; (n = map_next(&it));) {
        struct sts_entry *entry = CONTAINER_OF(n, struct sts_entry, node);
        if (entry->work) {
            asker_cancel(&entry->work->asker);
            sts_fetch_cancel(entry);
        }
    }
}

void sts_office_done(struct sts_office *office)
{
    struct map_iter it = map_begin(&office->entries);
    for (struct map_node *n = map_next(&it); n;) {
        struct sts_entry *entry = CONTAINER_OF(n, struct sts_entry, node);
        n = map_next(&it);
        free_entry(entry);
    }
    map_done(&office->entries);
}
