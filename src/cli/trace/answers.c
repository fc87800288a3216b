#include "cli/trace/answers.h"

#include "cli/trace/inquiry.h"
#include "core/base/list.h"
#include "path/route/asker.h"
#include "world/log.h"
#include "world/loop.h"

#include <stdlib.h>

struct answers {
    struct log *log;
    struct dns_service *service;
    struct loop *loop;
    struct list waiting; /* items not yet begun */
    struct list active;
    size_t active_count;
    struct timer timer;
};

/* An inquiry under way or waiting for its turn; in the trace's arena. */
struct item {
    struct inquiry inquiry;
    struct asker asker;
    struct answers *answers;
    struct list link;
};

static bool on_question(struct asker *asker, struct dns_question *question)
{
    return inquiry_question(&CONTAINER_OF(asker, struct item, asker)->inquiry, question);
}

static void on_answer(struct asker *asker, uint32_t id, const struct dns_answer *answer)
{
    inquiry_answer(&CONTAINER_OF(asker, struct item, asker)->inquiry, id, answer);
}

static void end_item(struct item *item)
{
    asker_cancel(&item->asker);
    list_remove(&item->link);
    item->answers->active_count--;
}

static void begin_items(struct answers *a)
{
    while (a->active_count < ANSWERS_AT_ONCE && !list_empty(&a->waiting)) {
        struct item *item = CONTAINER_OF(list_pop(&a->waiting), struct item, link);
        list_append(&a->active, &item->link);
        a->active_count++;
        if (inquiry_start(&item->inquiry)) {
            asker_ask(&item->asker);
        }
        if (inquiry_ended(&item->inquiry)) {
            end_item(item);
        }
    }
    if (a->active_count == 0) {
        loop_stop(a->loop);
    }
}

static void on_turned(struct asker *asker)
{
    struct item *item = CONTAINER_OF(asker, struct item, asker);
    struct answers *a = item->answers;
    if (inquiry_ended(&item->inquiry)) {
        end_item(item);
        begin_items(a);
    }
}

static void on_time(struct timer *timer)
{
    loop_stop(CONTAINER_OF(timer, struct answers, timer)->loop);
}

void answers_add(struct answers *a, struct trace *t, bool whole)
{
    for (size_t i = 0; i < t->question_count; i++) {
        bool asked = whole || t->questions[i].kind != TRACE_ASK_DKIM;
        struct item *item = asked ? ARENA_NEW(t->arena, struct item) : NULL;
        if (item) {
            item->inquiry = (struct inquiry){
                .question = &t->questions[i], .message = t->message, .arena = t->arena};
            item->asker = (struct asker){.resolver = loop_ports(a->loop)->resolver,
                                         .question = on_question,
                                         .answer = on_answer,
                                         .turned = on_turned};
            item->answers = a;
            list_append(&a->waiting, &item->link);
        }
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
    a->loop = a->log && a->service ? loop_new(a->log, a->service) : NULL;
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
        log_free(a->log);
        free(a);
    }
}
