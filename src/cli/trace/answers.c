#include "cli/trace/answers.h"

#include "cli/trace/inquiry.h"
#include "core/base/list.h"
#include "path/policy/dkim_query.h"
#include "path/route/asker.h"
#include "tls/crypto.h"
#include "world/log.h"
#include "world/loop.h"

#include <stdlib.h>

struct answers {
    struct log *log;
    struct dns_service *service;
    struct loop *loop;
    struct crypto *crypto;
    struct list waiting; /* items not yet begun */
    struct list active;
    size_t active_count;
    struct timer timer;
};

/* What is to be found out, under way or waiting for its turn; in the trace's arena. */
struct item {
    struct answers *answers;
    bool (*begin)(struct item *item); /* false: it is over already */
    void (*cancel)(struct item *item);
    struct list link;
};

/* A question by itself. */
struct asking {
    struct item item;
    struct inquiry inquiry;
    struct asker asker;
};

/* All signatures of a message at once. */
struct verifying {
    struct item item;
    struct dkim_query query;
    struct trace *trace;
};

static void begin_items(struct answers *a);

static void end_item(struct item *item)
{
    item->cancel(item);
    list_remove(&item->link);
    item->answers->active_count--;
}

static void item_over(struct item *item)
{
    struct answers *a = item->answers;
    end_item(item);
    begin_items(a);
}

static void begin_items(struct answers *a)
{
    while (a->active_count < ANSWERS_AT_ONCE && !list_empty(&a->waiting)) {
        struct item *item = CONTAINER_OF(list_pop(&a->waiting), struct item, link);
        list_append(&a->active, &item->link);
        a->active_count++;
        if (!item->begin(item)) {
            end_item(item);
        }
    }
    if (a->active_count == 0) {
        loop_stop(a->loop);
    }
}

/* -- questions */

static bool on_question(struct asker *asker, struct dns_question *question)
{
    return inquiry_question(&CONTAINER_OF(asker, struct asking, asker)->inquiry, question);
}

static void on_answer(struct asker *asker, uint32_t id, const struct dns_answer *answer)
{
    inquiry_answer(&CONTAINER_OF(asker, struct asking, asker)->inquiry, id, answer);
}

static void on_turned(struct asker *asker)
{
    struct asking *asking = CONTAINER_OF(asker, struct asking, asker);
    if (inquiry_ended(&asking->inquiry)) {
        item_over(&asking->item);
    }
}

static bool begin_asking(struct item *item)
{
    struct asking *asking = CONTAINER_OF(item, struct asking, item);
    if (inquiry_start(&asking->inquiry)) {
        asker_ask(&asking->asker);
    }
    return !inquiry_ended(&asking->inquiry);
}

static void cancel_asking(struct item *item)
{
    asker_cancel(&CONTAINER_OF(item, struct asking, item)->asker);
}

static void add_asking(struct answers *a, struct trace *t, struct trace_question *question)
{
    struct asking *asking = ARENA_NEW(t->arena, struct asking);
    if (asking) {
        asking->item = (struct item){.answers = a, .begin = begin_asking, .cancel = cancel_asking};
        asking->inquiry = (struct inquiry){.question = question, .arena = t->arena};
        asking->asker = (struct asker){.resolver = loop_ports(a->loop)->resolver,
                                       .question = on_question,
                                       .answer = on_answer,
                                       .turned = on_turned};
        list_append(&a->waiting, &asking->item.link);
    }
}

/* -- signatures */

static bool is_of_signatures(const struct trace_question *q)
{
    return q->kind == TRACE_ASK_DKIM || q->kind == TRACE_ASK_ARC;
}

static void answer_signature(struct trace_question *q, const struct dkim_query *query)
{
    const struct dkim_check *check = dkim_at(&query->dkim, q->position);
    if (q->kind == TRACE_ASK_ARC) {
        q->answered = !query->arc.temporary;
        q->result = str_from_cstr(arc_result_name(query->arc.result));
    } else if (check) {
        q->answered = check->result != DKIM_TEMPERROR && check->result != DKIM_OPEN;
        q->result = str_from_cstr(check->testing ? "none" : dkim_result_name(check->result));
    }
}

static void on_verified(struct dkim_query *query)
{
    struct verifying *v = query->owner;
    for (size_t i = 0; i < v->trace->question_count; i++) {
        struct trace_question *q = &v->trace->questions[i];
        if (is_of_signatures(q)) {
            answer_signature(q, query);
        }
    }
    item_over(&v->item);
}

static bool begin_verifying(struct item *item)
{
    dkim_query_start(&CONTAINER_OF(item, struct verifying, item)->query);
    return true;
}

static void cancel_verifying(struct item *item)
{
    dkim_query_cancel(&CONTAINER_OF(item, struct verifying, item)->query);
}

static void add_verifying(struct answers *a, struct trace *t)
{
    struct verifying *v = ARENA_NEW(t->arena, struct verifying);
    if (v) {
        v->item = (struct item){.answers = a, .begin = begin_verifying, .cancel = cancel_verifying};
        /* Whether a signature has ended by now says nothing of the way. */
        v->query = (struct dkim_query){.done = on_verified,
                                       .ports = loop_ports(a->loop),
                                       .crypto = a->crypto,
                                       .arena = t->arena,
                                       .message = t->message,
                                       .owner = v};
        v->trace = t;
        list_append(&a->waiting, &v->item.link);
    }
}

/* -- all of them */

static void on_time(struct timer *timer)
{
    loop_stop(CONTAINER_OF(timer, struct answers, timer)->loop);
}

void answers_add(struct answers *a, struct trace *t, bool whole)
{
    bool signatures = false;
    for (size_t i = 0; i < t->question_count; i++) {
        if (is_of_signatures(&t->questions[i])) {
            signatures = true;
        } else {
            add_asking(a, t, &t->questions[i]);
        }
    }
    if (signatures && whole) {
        add_verifying(a, t);
    }
}

void answers_wait(struct answers *a)
{
    const struct ports *ports = loop_ports(a->loop);
    if (list_empty(&a->waiting)) {
        return;
    }
    ports->timers->arm(ports->timers, &a->timer, SPAN_S(ANSWERS_SECONDS));
    begin_items(a);
    loop_run(a->loop);
    ports->timers->cancel(ports->timers, &a->timer);
    while (!list_empty(&a->active)) {
        end_item(CONTAINER_OF(a->active.next, struct item, link));
    }
    list_init(&a->waiting);
}

struct answers *answers_new(const struct dns_service_options *dns, char *reason, size_t reason_size)
{
    struct answers *a = calloc(1, sizeof *a);
    if (!a) {
        return NULL;
    }
    list_init(&a->waiting);
    list_init(&a->active);
    a->timer.fire = on_time;
    a->log = log_new(2, LOG_STYLE_AUTO, LOG_WARNING);
    a->service = dns_service_new(dns, reason, reason_size);
    a->crypto = tls_crypto_new();
    a->loop = a->log && a->service && a->crypto ? loop_new(a->log, a->service) : NULL;
    if (!a->loop) {
        answers_free(a);
        return NULL;
    }
    return a;
}

void answers_free(struct answers *a)
{
    if (a) {
        loop_free(a->loop);
        dns_service_free(a->service);
        tls_crypto_free(a->crypto);
        log_free(a->log);
        free(a);
    }
}
