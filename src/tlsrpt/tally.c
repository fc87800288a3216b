#include "tlsrpt/tally.h"

#include "tlsrpt/tally_text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "world/clock.h"

enum { PERIOD_TEXT = 24 };

struct tally {
    struct tls_tally port;
    struct span period;
    pthread_mutex_t mutex; /* guards what follows */
    json_t *periods;
    bool changed;
};

static long long period_at(const struct tally *t, struct instant now)
{
    return now.us / t->period.us;
}

static json_t *text(struct str s)
{
    json_t *made = json_stringn(s.len ? s.ptr : "", s.len);
    return made ? made : json_string("");
}

static bool is_text(const json_t *object, const char *key, struct str s)
{
    const json_t *value = json_object_get(object, key);
    return str_eq(str_from(json_string_value(value), json_string_length(value)), s);
}

/* The member, made if it is not there; null: no room. */
static json_t *member(json_t *object, struct str key, json_t *(*make)(void), size_t most)
{
    char name[512];
    if (key.len == 0 || key.len >= sizeof name) {
        return NULL;
    }
    (void)snprintf(name, sizeof name, "%.*s", STR_ARG(key));
    json_t *value = json_object_get(object, name);
    if (!value && json_object_size(object) < most) {
        value = make();
        if (json_object_set_new(object, name, value) != 0) {
            return NULL;
        }
    }
    return value;
}

static void add(json_t *object, const char *key)
{
    json_object_set_new(object, key,
                        json_integer(json_integer_value(json_object_get(object, key)) + 1));
}

/* As many whole parts as fit. */
static struct str bounded(struct str parts, char separator)
{
    size_t len = parts.len;
    while (len > TALLY_TEXT_MAX || (len < parts.len && len > 0 && parts.ptr[len] != separator)) {
        len--;
    }
    return str_head(parts, len);
}

static json_t *policy_of(json_t *policies, const struct tls_session *s)
{
    static const struct str types[] = {
        [PROMISE_NONE] = STR_INIT("no-policy-found"),
        [PROMISE_STS] = STR_INIT("sts"),
        [PROMISE_TLSA] = STR_INIT("tlsa"),
    };
    struct str mx = bounded(s->mx, ' '), lines = bounded(s->policy, '\n');
    size_t i;
    json_t *policy;
    json_array_foreach(policies, i, policy)
    {
        if (is_text(policy, "type", types[s->promise]) &&
            is_text(policy, "domain", s->promised_by) && is_text(policy, "mx", mx) &&
            is_text(policy, "policy", lines)) {
            return policy;
        }
    }
    if (json_array_size(policies) >= TALLY_POLICIES_MAX) {
        return NULL;
    }
    policy = json_object();
    json_object_set_new(policy, "type", text(types[s->promise]));
    json_object_set_new(policy, "domain", text(s->promised_by));
    json_object_set_new(policy, "mx", text(mx));
    json_object_set_new(policy, "policy", text(lines));
    json_object_set_new(policy, "successes", json_integer(0));
    json_object_set_new(policy, "failures", json_integer(0));
    json_object_set_new(policy, "details", json_array());
    json_array_append_new(policies, policy);
    return policy;
}

static struct str address(struct ip ip, char into[IP_TEXT_MAX])
{
    return ip.family == IP_NONE ? STR("") : ip_text(ip, into);
}

static void count_failure(json_t *policy, const struct tls_session *s)
{
    json_t *details = json_object_get(policy, "details");
    struct str word = tls_failure_word(s->failure);
    char ip[IP_TEXT_MAX], source[IP_TEXT_MAX];
    struct str at = address(s->ip, ip), from = address(s->source, source);
    size_t i;
    json_t *detail;
    add(policy, "failures");
    json_array_foreach(details, i, detail)
    {
        if (is_text(detail, "result", word) && is_text(detail, "host", s->host) &&
            is_text(detail, "ip", at) && is_text(detail, "source", from)) {
            add(detail, "count");
            return;
        }
    }
    if (json_array_size(details) < TALLY_DETAILS_MAX) {
        detail = json_object();
        json_object_set_new(detail, "result", text(word));
        json_object_set_new(detail, "host", text(s->host));
        json_object_set_new(detail, "ip", text(at));
        json_object_set_new(detail, "source", text(from));
        json_object_set_new(detail, "count", json_integer(1));
        json_array_append_new(details, detail);
    }
}

/* The file is ours, and may be damaged all the same. */
static bool is_policy(const json_t *policy)
{
    size_t i;
    json_t *detail;
    bool good = json_is_string(json_object_get(policy, "type")) &&
                json_is_string(json_object_get(policy, "domain")) &&
                json_is_string(json_object_get(policy, "mx")) &&
                json_is_string(json_object_get(policy, "policy")) &&
                json_is_array(json_object_get(policy, "details"));
    json_array_foreach(json_object_get(policy, "details"), i, detail)
    {
        good = good && json_is_string(json_object_get(detail, "result")) &&
               json_is_string(json_object_get(detail, "host")) &&
               json_is_string(json_object_get(detail, "ip")) &&
               json_is_string(json_object_get(detail, "source"));
    }
    return good;
}

static bool are_policies(const json_t *policies)
{
    size_t i;
    json_t *policy;
    bool good = json_is_array(policies);
    json_array_foreach(policies, i, policy)
    {
        good = good && is_policy(policy);
    }
    return good;
}

static bool is_plain(const struct tls_session *s)
{
    return s->promise == PROMISE_NONE && s->failure == TLS_FAILED_NOT &&
           str_eq(s->promised_by, s->domain) && s->mx.len == 0 && s->policy.len == 0;
}

static json_t *none_yet(void)
{
    return json_integer(0);
}

/* What is kept of a domain as a list of policies: a new reference. */
static json_t *unpacked(struct str domain, json_t *kept)
{
    const struct tls_session plain = {.domain = domain, .promised_by = domain};
    if (json_is_array(kept)) {
        return json_incref(kept);
    }
    json_t *policies = tally_text_read(domain, kept);
    if (!are_policies(policies)) {
        json_decref(policies);
        policies = json_array();
    }
    if (json_integer_value(kept) > 0) {
        json_object_set_new(policy_of(policies, &plain), "successes",
                            json_integer(json_integer_value(kept)));
    }
    return policies;
}

/* The list as it is kept: a new reference. */
static json_t *packed(struct str domain, json_t *policies)
{
    json_t *text = tally_text_write(domain, policies);
    return text ? text : json_incref(policies);
}

static void count(json_t *domains, const struct tls_session *s)
{
    json_t *kept = member(domains, s->domain, none_yet, TALLY_DOMAINS_MAX);
    if (!kept) {
        return;
    }
    if (json_is_integer(kept) && is_plain(s)) {
        json_integer_set(kept, json_integer_value(kept) + 1);
        return;
    }
    json_t *policies = unpacked(s->domain, kept);
    json_t *policy = policy_of(policies, s);
    if (policy && s->failure == TLS_FAILED_NOT) {
        add(policy, "successes");
    } else if (policy) {
        count_failure(policy, s);
    }
    json_object_setn_new(domains, s->domain.ptr, s->domain.len, packed(s->domain, policies));
    json_decref(policies);
}

static void op_count(struct tls_tally *port, const struct tls_session *s)
{
    struct tally *t = CONTAINER_OF(port, struct tally, port);
    char name[PERIOD_TEXT];
    pthread_mutex_lock(&t->mutex);
    int len = snprintf(name, sizeof name, "%lld", period_at(t, clock_wall()));
    json_t *domains = member(t->periods, str_from(name, (size_t)len), json_object, SIZE_MAX);
    if (domains) {
        count(domains, s);
    }
    t->changed = true;
    pthread_mutex_unlock(&t->mutex);
}

struct tally *tally_new(struct span period)
{
    struct tally *t = calloc(1, sizeof *t);
    json_t *periods = json_object();
    if (!t || !periods) {
        free(t);
        json_decref(periods);
        return NULL;
    }
    t->port.count = op_count;
    t->period = period;
    t->periods = periods;
    pthread_mutex_init(&t->mutex, NULL);
    return t;
}

void tally_free(struct tally *t)
{
    if (t) {
        json_decref(t->periods);
        pthread_mutex_destroy(&t->mutex);
        free(t);
    }
}

struct tls_tally *tally_port(struct tally *t)
{
    return &t->port;
}

struct span tally_period(const struct tally *t)
{
    return t->period;
}

static bool is_tally(json_t *periods)
{
    const char *name;
    json_t *domains, *kept;
    bool good = json_is_object(periods);
    json_object_foreach(periods, name, domains)
    {
        const char *domain;
        good = good && json_is_object(domains);
        json_object_foreach(domains, domain, kept)
        {
            good = good && (are_policies(kept) || json_is_integer(kept) || json_is_string(kept));
        }
    }
    return good;
}

void tally_load(struct tally *t, struct str bytes)
{
    json_t *loaded = json_loadb(bytes.len ? bytes.ptr : "", bytes.len, 0, NULL);
    pthread_mutex_lock(&t->mutex);
    if (is_tally(loaded) && json_object_size(t->periods) == 0) {
        json_decref(t->periods);
        t->periods = json_incref(loaded);
    }
    pthread_mutex_unlock(&t->mutex);
    json_decref(loaded);
}

bool tally_save(struct tally *t, struct buf *out)
{
    pthread_mutex_lock(&t->mutex);
    char *dump = t->changed ? json_dumps(t->periods, JSON_COMPACT) : NULL;
    t->changed = t->changed && !dump;
    pthread_mutex_unlock(&t->mutex);
    buf_add(out, str_from_cstr(dump));
    free(dump);
    return out->len > 0 && !out->failed;
}

json_t *tally_take(struct tally *t, struct instant now)
{
    const char *name, *domain;
    json_t *domains, *value, *taken = NULL;
    void *after;
    pthread_mutex_lock(&t->mutex);
    json_object_foreach_safe(t->periods, after, name, domains)
    {
        if (taken || strtoll(name, NULL, 10) >= period_at(t, now)) {
            continue;
        }
        json_object_foreach(domains, domain, value)
        {
            json_t *policies = unpacked(str_from_cstr(domain), value);
            taken = json_pack("{s:s, s:s, s:o}", "domain", domain, "period", name, "policies",
                              policies);
            break;
        }
        if (taken) {
            json_object_del(domains, json_string_value(json_object_get(taken, "domain")));
            t->changed = true;
        } else {
            json_object_del(t->periods, name);
        }
    }
    pthread_mutex_unlock(&t->mutex);
    return taken;
}

void tally_return(struct tally *t, json_t *taken)
{
    const char *period = json_string_value(json_object_get(taken, "period"));
    const char *domain = json_string_value(json_object_get(taken, "domain"));
    pthread_mutex_lock(&t->mutex);
    json_t *domains = member(t->periods, str_from_cstr(period), json_object, SIZE_MAX);
    json_object_set(domains, domain, json_object_get(taken, "policies"));
    t->changed = true;
    pthread_mutex_unlock(&t->mutex);
    json_decref(taken);
}
