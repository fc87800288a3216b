#include "world/resolver.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unbound.h>
#include <unistd.h>

#include "world/dns_options.h"
#include "world/inside.h"

enum {
    LOOKUPS_MAX = 16384, /* under way at once, those given up included */
    RCODE_NOERROR = 0,
    RCODE_SERVFAIL = 2,
    RCODE_NXDOMAIN = 3,
};

/* What a loop waits for. A server that does not answer at all costs libunbound minutes. */
#define ANSWER_LIMIT SPAN_S(10)

struct dns_service {
    struct ub_ctx *ub;
    struct span limit;
    pthread_t thread;
    int stop;              /* an eventfd */
    pthread_mutex_t mutex; /* guards what follows, and `loop` and `answered` of every lookup */
    struct list asked;
    size_t under_way;
};

struct lookup {
    struct dns_service *service;
    struct list asked; /* in the service's, until it was answered */
    struct list node;  /* in the loop's */
    struct loop *loop; /* null once the loop is gone */
    struct parcel parcel;
    bool answered;
    int error;
    struct ub_result *answer;
    struct resolver_query *query; /* null: nobody waits any more. The loop's alone */
    struct timer limit;
    struct soon soon;
    struct dns_kept kept; /* known without asking; its message stands in `copy` */
    char copy[];
};

static void free_lookup(struct lookup *l)
{
    ub_resolve_free(l->answer);
    free(l);
}

/* On the service's thread. A lookup whose loop is gone ends here. */
static void on_answer(void *data, int error, struct ub_result *answer)
{
    struct lookup *l = data;
    struct dns_service *service = l->service;
    pthread_mutex_lock(&service->mutex);
    list_remove(&l->asked);
    service->under_way--;
    l->error = error;
    l->answer = answer;
    l->answered = true;
    struct loop *loop = l->loop;
    if (loop) {
        loop->inbox.port.post(&loop->inbox.port, &l->parcel);
    }
    pthread_mutex_unlock(&service->mutex);
    if (!loop) {
        free_lookup(l);
    }
}

static void *carry_answers(void *argument)
{
    struct dns_service *service = argument;
    struct pollfd fds[2] = {
        {.fd = ub_fd(service->ub), .events = POLLIN},
        {.fd = service->stop, .events = POLLIN},
    };
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR) {
            return NULL;
        }
        if (fds[1].revents) {
            return NULL;
        }
        if (fds[0].revents && ub_process(service->ub) != 0) {
            return NULL;
        }
    }
}

static struct resolver_query *end_lookup(struct lookup *l)
{
    struct resolver_query *query = l->query;
    l->query = NULL;
    l->loop->ports.timers->cancel(l->loop->ports.timers, &l->limit);
    query->impl = NULL;
    query->secure = false;
    query->answer = (struct str){0};
    return query;
}

static void judge(struct resolver_query *query, const struct lookup *l)
{
    const struct ub_result *a = l->answer;
    query->result = RESOLVER_FAILED;
    if (l->kept.message.len > 0) {
        query->result = RESOLVER_ANSWERED;
        query->secure = l->kept.secure;
        query->answer = l->kept.message;
    }
    if (l->error || !a) {
        return;
    }
    if (a->bogus) {
        query->result = RESOLVER_BOGUS;
    } else if (a->rcode != RCODE_SERVFAIL && a->answer_packet && a->answer_len > 0) {
        query->result = RESOLVER_ANSWERED;
        query->secure = a->secure != 0;
        query->answer = str_from(a->answer_packet, (size_t)a->answer_len);
    }
}

/* What the DNS says for certain; failures are libunbound's to remember. */
static void keep(struct lookup *l)
{
    const struct ub_result *a = l->answer;
    if (!a || a->bogus || (a->rcode != RCODE_NOERROR && a->rcode != RCODE_NXDOMAIN) ||
        !a->answer_packet || a->answer_len <= 0) {
        return;
    }
    struct dns_kept answer = {str_from(a->answer_packet, (size_t)a->answer_len), a->secure != 0,
                              a->ttl};
    struct str name = str_from_cstr(a->qname); /* with the final dot that op_ask() gave it */
    dns_memory_keep(&l->loop->resolver.memory, str_head(name, name.len - 1), (uint16_t)a->qtype,
                    &answer, clock_monotonic_us());
}

static void finish(struct lookup *l)
{
    list_remove(&l->node);
    keep(l);
    if (l->query) {
        struct resolver_query *query = end_lookup(l);
        judge(query, l);
        query->done(query);
    }
    free_lookup(l);
}

static void on_parcel(struct parcel *parcel)
{
    finish(CONTAINER_OF(parcel, struct lookup, parcel));
}

static void on_soon(struct soon *soon)
{
    finish(CONTAINER_OF(soon, struct lookup, soon));
}

/* The lookup stays until libunbound is done with it; nobody waits for it. */
static void on_limit(struct timer *timer)
{
    struct lookup *l = CONTAINER_OF(timer, struct lookup, limit);
    struct resolver_query *query = end_lookup(l);
    query->result = RESOLVER_TIMEOUT;
    query->done(query);
}

/* Lists it first: the answer may come before ub_resolve_async() returns. */
static int ask_unbound(struct lookup *l, const char *name, uint16_t type)
{
    struct dns_service *service = l->service;
    if (!service) {
        return UB_SERVFAIL;
    }
    pthread_mutex_lock(&service->mutex);
    bool full = service->under_way >= LOOKUPS_MAX;
    if (!full) {
        service->under_way++;
        list_append(&service->asked, &l->asked);
    }
    pthread_mutex_unlock(&service->mutex);
    if (full) {
        return UB_NOMEM;
    }
    int error = ub_resolve_async(service->ub, name, type, 1, l, on_answer, NULL);
    if (error) {
        pthread_mutex_lock(&service->mutex);
        service->under_way--;
        list_remove(&l->asked);
        pthread_mutex_unlock(&service->mutex);
    }
    return error;
}

static void on_starved(struct soon *soon)
{
    struct loop_resolver *r = CONTAINER_OF(soon, struct loop_resolver, starved_soon);
    for (struct resolver_query *query; (query = r->starved);) {
        r->starved = query->impl;
        query->impl = NULL;
        query->secure = false;
        query->answer = (struct str){0};
        query->result = RESOLVER_FAILED;
        query->done(query);
    }
}

static bool is_name(struct str name)
{
    return name.len <= 255 && str_find(name, '\0') == STR_NONE;
}

/* With a copy of what is known already, as the loop may forget it before the query is done. */
static struct lookup *new_lookup(struct loop_resolver *r, struct str name, uint16_t type)
{
    struct dns_kept kept = {0};
    bool known = dns_memory_find(&r->memory, name, type, clock_monotonic_us(), &kept);
    struct lookup *l = calloc(1, sizeof *l + kept.message.len);
    if (l && known) {
        memcpy(l->copy, kept.message.ptr, kept.message.len);
        l->kept = (struct dns_kept){str_from(l->copy, kept.message.len), kept.secure, kept.ttl};
        l->answered = true;
    }
    return l;
}

/* libunbound wants the name absolute, with its final dot. */
static void op_ask(struct resolver *resolver, struct resolver_query *query, struct str name,
                   uint16_t type)
{
    struct loop_resolver *r = CONTAINER_OF(resolver, struct loop_resolver, port);
    struct lookup *l = new_lookup(r, name, type);
    if (!l) {
        query->impl = r->starved;
        r->starved = query;
        loop_soon(r->loop, &r->starved_soon);
        return;
    }
    l->service = r->service;
    l->loop = r->loop;
    l->query = query;
    l->parcel.open = on_parcel;
    l->limit.fire = on_limit;
    l->soon.run = on_soon;
    list_append(&r->lookups, &l->node);
    query->impl = l;
    if (l->answered) {
        loop_soon(r->loop, &l->soon);
        return;
    }
    char text[256 + 2];
    int error = UB_SYNTAX;
    if (is_name(name)) {
        snprintf(text, sizeof text, "%.*s.", STR_ARG(name));
        r->loop->ports.timers->arm(r->loop->ports.timers, &l->limit,
                                   r->service ? r->service->limit : ANSWER_LIMIT);
        error = ask_unbound(l, text, type);
    }
    if (error) {
        l->error = error;
        loop_soon(r->loop, &l->soon);
    }
}

static bool cancel_starved(struct loop_resolver *r, struct resolver_query *query)
{
    struct resolver_query *before = NULL;
    for (struct resolver_query *at = r->starved; at; before = at, at = at->impl) {
        if (at != query) {
            continue;
        }
        if (before) {
            before->impl = query->impl;
        } else {
            r->starved = query->impl;
        }
        query->impl = NULL;
        return true;
    }
    return false;
}

static void op_cancel(struct resolver *resolver, struct resolver_query *query)
{
    struct loop_resolver *r = CONTAINER_OF(resolver, struct loop_resolver, port);
    struct lookup *l = query->impl;
    if (l && !cancel_starved(r, query)) {
        end_lookup(l);
    }
}

void loop_resolver_init(struct loop_resolver *r, struct loop *loop, struct dns_service *service)
{
    r->port = (struct resolver){.ask = op_ask, .cancel = op_cancel};
    r->loop = loop;
    r->service = service;
    r->starved_soon.run = on_starved;
    list_init(&r->lookups);
    struct entropy *entropy = r->loop->ports.entropy;
    dns_memory_init(&r->memory, (struct hash_seed){entropy->u64(entropy), entropy->u64(entropy)});
}

/* A lookup is libunbound's until it is answered; then it waits in an inbox that nobody opens. */
void loop_resolver_done(struct loop_resolver *r)
{
    LIST_EACH (node, &r->lookups) {
        struct lookup *l = CONTAINER_OF(node, struct lookup, node);
        list_remove(node);
        r->loop->ports.timers->cancel(r->loop->ports.timers, &l->limit);
        bool ours = true;
        if (l->service) {
            pthread_mutex_lock(&l->service->mutex);
            ours = l->answered || l->error;
            l->loop = NULL;
            pthread_mutex_unlock(&l->service->mutex);
        }
        if (ours) {
            free_lookup(l);
        }
    }
    dns_memory_done(&r->memory);
}

struct dns_service *dns_service_new(const struct dns_service_options *options, char *reason,
                                    size_t reason_size)
{
    struct dns_service *service = calloc(1, sizeof *service);
    if (!service) {
        snprintf(reason, reason_size, "no memory");
        return NULL;
    }
    list_init(&service->asked);
    pthread_mutex_init(&service->mutex, NULL);
    service->limit = options->limit.us > 0 ? options->limit : ANSWER_LIMIT;
    service->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    service->ub = ub_ctx_create();
    if (service->stop < 0 || !service->ub) {
        snprintf(reason, reason_size, "no memory or descriptors for the resolver");
        goto failed;
    }
    if (!dns_options_apply(service->ub, options, reason, reason_size)) {
        goto failed;
    }
    if (pthread_create(&service->thread, NULL, carry_answers, service) != 0) {
        snprintf(reason, reason_size, "cannot start the resolver's thread");
        goto failed;
    }
    return service;
failed:
    ub_ctx_delete(service->ub);
    if (service->stop >= 0) {
        close(service->stop);
    }
    pthread_mutex_destroy(&service->mutex);
    free(service);
    return NULL;
}

void dns_service_free(struct dns_service *service)
{
    if (!service) {
        return;
    }
    uint64_t one = 1;
    if (write(service->stop, &one, sizeof one) != (ssize_t)sizeof one) {
        return; /* cannot be: nothing else writes there */
    }
    pthread_join(service->thread, NULL);
    ub_ctx_delete(service->ub);
    close(service->stop);
    LIST_EACH (node, &service->asked) { /* their loops are gone */
        struct lookup *l = CONTAINER_OF(node, struct lookup, asked);
        free_lookup(l);
    }
    pthread_mutex_destroy(&service->mutex);
    free(service);
}
