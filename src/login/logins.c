#include "login/logins.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/base/list.h"
#include "login/guard.h"
#include "login/question.h"
#include "world/packets.h"
#include "world/wipe.h"

/* Beyond the time limits of all stores together: the login process itself gives no answer. */
#define PATIENCE_US (60 * INT64_C(1000000))
/* Far more than it takes to hear a question: a login process that has not stands still. */
#define HEARING_US (3 * INT64_C(1000000))

struct login_service {
    struct guard *guard;
    struct login_options options;
    atomic_uint mechanisms;
    atomic_uint generation; /* of the login process, as far as it is to be another one */
    struct list offices;
};

/* A socket to a login process. Exchanges stay at the one where they began. */
struct line {
    struct packets_owner owner;
    struct loop_logins *office;
    struct packets *packets; /* null: that process is gone */
    unsigned generation;
    int64_t pinged_us; /* monotonic; 0: no sign of life is waited for */
    size_t users;      /* attempts; the office counts as one while it is the newest line */
};

struct loop_logins {
    struct logins port;
    struct login_service *service;
    struct loop *loop;
    const struct ports *ports;
    struct line *newest; /* null: none yet */
    struct list node;    /* in the service's */
    bool stuck;          /* the last login process read no questions */
    struct parcel renewal;
    atomic_bool renewing; /* it is in the loop's inbox */
    struct list attempts;
    uint32_t last_id;
};

/* One exchange. It outlives its `login` until the answer to the last question is there: who hangs
 * up does not escape the count. */
struct attempt {
    struct list node;
    struct loop_logins *office;
    struct login *login; /* null: given up */
    struct line *line;   /* null: no step yet */
    uint32_t id;
    struct ip peer;
    enum sasl_kind kind;
    bool encrypted, bindable;
    char exporter[TLS_EXPORTER_SIZE];
    struct timer timer;
    bool asked;        /* the timer then looks whether we are heard, and how long we wait */
    int64_t waited_us; /* for the answer */
    enum login_result result;
    struct buf challenge, user;
};

static void drop_line(struct line *line)
{
    if (line && --line->users == 0) {
        packets_close(line->packets);
        free(line);
    }
}

static void free_attempt(struct attempt *a)
{
    list_remove(&a->node);
    drop_line(a->line);
    buf_done(&a->challenge);
    buf_done(&a->user);
    free(a);
}

static int send_on(const struct line *line, const struct login_question *question)
{
    struct buf bytes = {0};
    login_question_format(&bytes, question);
    int error = bytes.failed            ? -ENOMEM
                : line && line->packets ? packets_send(line->packets, buf_str(&bytes))
                                        : -EPIPE;
    wipe_buf(&bytes);
    return error;
}

static int ask(const struct attempt *a, const struct login_question *question)
{
    return send_on(a->line, question);
}

/* The attempt is over: the other side may forget it. */
static void finish(struct attempt *a)
{
    struct timers *timers = a->office->ports->timers;
    struct login_question question = {.asked = LOGIN_END, .id = a->id};
    timers->cancel(timers, &a->timer);
    (void)!ask(a, &question);
    free_attempt(a);
}

static void tell(struct attempt *a)
{
    struct login *login = a->login;
    login->result = a->result;
    login->challenge = a->challenge;
    login->user = buf_str(&a->user);
    login->stepped(login);
}

static void tell_after(struct attempt *a, enum login_result result, struct span wait)
{
    struct timers *timers = a->office->ports->timers;
    a->result = result;
    timers->arm(timers, &a->timer, wait);
}

/* Past the guard, who hears of every success and failure. */
static void judge(struct attempt *a)
{
    struct guard *guard = a->office->service->guard;
    struct clock *clock = a->office->ports->clock;
    int64_t now = clock->monotonic_us(clock);
    struct span wait = {0};
    if (a->result == LOGIN_YES || a->result == LOGIN_NO) {
        if (!guard_allows(guard, a->peer, buf_str(&a->user), now)) {
            a->result = LOGIN_BLOCKED;
        } else if (a->result == LOGIN_YES) {
            guard_succeeded(guard, a->peer, buf_str(&a->user), now);
        }
    }
    if (a->result == LOGIN_NO) {
        wait = guard_failed(guard, a->peer, buf_str(&a->user), now);
    }
    if (!a->login) {
        finish(a);
    } else if (wait.us > 0) {
        tell_after(a, LOGIN_NO, wait);
    } else {
        tell(a);
    }
}

static void answered(struct attempt *a, const struct login_answer *answer)
{
    struct timers *timers = a->office->ports->timers;
    timers->cancel(timers, &a->timer);
    a->asked = false;
    a->result = answer->result;
    buf_clear(&a->challenge);
    buf_add(&a->challenge, answer->challenge);
    buf_clear(&a->user);
    buf_add(&a->user, answer->user);
    if (a->challenge.failed || a->user.failed) {
        a->result = LOGIN_LATER;
    }
    judge(a);
}

static void unanswered(struct attempt *a)
{
    struct login_answer later = {.id = a->id, .result = LOGIN_LATER};
    answered(a, &later);
}

static void on_answer(struct packets_owner *owner, struct str bytes)
{
    struct line *line = CONTAINER_OF(owner, struct line, owner);
    struct login_answer answer;
    if (!login_answer_parse(bytes, &answer)) {
        return;
    }
    line->pinged_us = 0; /* it lives */
    if (answer.id == LOGIN_NOBODY) {
        return;
    }
    LIST_EACH (node, &line->office->attempts) {
        struct attempt *a = CONTAINER_OF(node, struct attempt, node);
        if (a->id == answer.id && a->line == line && a->asked) {
            answered(a, &answer);
            return;
        }
    }
}

/* Telling one may end others, so each is looked for anew. */
static struct attempt *next_asked(struct line *line)
{
    LIST_EACH (node, &line->office->attempts) {
        struct attempt *a = CONTAINER_OF(node, struct attempt, node);
        if (a->line == line && a->asked) {
            return a;
        }
    }
    return NULL;
}

/* Those between two steps hear of it at the next. */
static void on_lost(struct packets_owner *owner)
{
    struct line *line = CONTAINER_OF(owner, struct line, owner);
    packets_close(line->packets);
    line->packets = NULL;
    line->users++;
    for (struct attempt *a; (a = next_asked(line));) {
        unanswered(a);
    }
    drop_line(line);
}

static int open_line(struct loop_logins *office, unsigned generation)
{
    struct login_service *service = office->service;
    struct line *line = calloc(1, sizeof *line);
    if (!line) {
        return -ENOMEM;
    }
    *line = (struct line){.owner = {.arrived = on_answer, .lost = on_lost},
                          .office = office,
                          .generation = generation,
                          .users = 1};
    int socket = service->options.connect(service->options.owner, office->stuck);
    int error =
        socket < 0 ? socket : packets_open(office->loop, socket, &line->owner, &line->packets);
    if (error) {
        free(line);
        return error;
    }
    drop_line(office->newest);
    office->newest = line;
    office->stuck = false;
    return 0;
}

static void wait_for_answer(struct attempt *a)
{
    struct timers *timers = a->office->ports->timers;
    timers->arm(timers, &a->timer, (struct span){HEARING_US});
}

/* Asks for a sign of life, unless that was asked long ago in vain. What takes long otherwise is the
 * stores' time, or others': the process hears at any time. */
static bool is_there(struct line *line)
{
    struct login_question question = {.asked = LOGIN_PING, .id = LOGIN_NOBODY};
    struct clock *clock = line->office->ports->clock;
    int64_t now = clock->monotonic_us(clock);
    if (line->pinged_us != 0) {
        return now - line->pinged_us < HEARING_US;
    }
    line->pinged_us = now;
    (void)!send_on(line, &question); /* where its input is full, that is no answer either */
    return true;
}

/* At once, so that the next who logs in does not wait. */
static void replace_stuck(struct loop_logins *office, struct line *line)
{
    office->stuck = true;
    on_lost(&line->owner);
    if (office->stuck) {
        (void)!open_line(office, atomic_load(&office->service->generation));
    }
}

static void on_timer(struct timer *timer)
{
    struct attempt *a = CONTAINER_OF(timer, struct attempt, timer);
    if (!a->asked) {
        tell(a);
        return;
    }
    a->waited_us += HEARING_US;
    if (!is_there(a->line)) {
        replace_stuck(a->office, a->line);
    } else if (a->waited_us >= PATIENCE_US) {
        unanswered(a);
    } else {
        wait_for_answer(a);
    }
}

/* The first question. A process that has died in the meantime is replaced by another one. */
static int ask_first(struct attempt *a, const struct login_question *question)
{
    struct loop_logins *office = a->office;
    unsigned generation = atomic_load(&office->service->generation);
    int error = -EPIPE;
    for (int tries = 0; tries < 2 && (error == -EPIPE || error == -ECONNRESET); tries++) {
        struct line *line = office->newest;
        bool fresh = !line || !line->packets || line->generation != generation || tries > 0;
        error = fresh ? open_line(office, generation) : 0;
        if (error == 0) {
            drop_line(a->line);
            a->line = office->newest;
            a->line->users++;
            error = ask(a, question);
        }
    }
    return error;
}

/* So that the process of the old configuration can end. */
static void renew(struct parcel *parcel)
{
    struct loop_logins *office = CONTAINER_OF(parcel, struct loop_logins, renewal);
    atomic_store(&office->renewing, false);
    if (office->newest && office->newest->generation != atomic_load(&office->service->generation)) {
        drop_line(office->newest);
        office->newest = NULL;
    }
}

static void mechanisms(struct logins *logins, const struct login_facts *facts, struct buf *out)
{
    struct loop_logins *office = CONTAINER_OF(logins, struct loop_logins, port);
    sasl_set usable = sasl_usable(atomic_load(&office->service->mechanisms), facts->encrypted,
                                  facts->exporter.len > 0);
    for (unsigned kind = 0; kind < SASL_KINDS; kind++) {
        if (usable & SASL_ONE(kind)) {
            buf_add_char(out, ' ');
            buf_add(out, sasl_mechanisms[kind].name);
        }
    }
}

static int begin(struct logins *logins, struct login *login, const struct login_facts *facts)
{
    struct loop_logins *office = CONTAINER_OF(logins, struct loop_logins, port);
    enum sasl_kind kind = sasl_find(facts->mechanism);
    bool bindable = facts->exporter.len == TLS_EXPORTER_SIZE;
    sasl_set usable =
        sasl_usable(atomic_load(&office->service->mechanisms), facts->encrypted, bindable);
    if (kind == SASL_KINDS || !(usable & SASL_ONE(kind))) {
        return -ENOTSUP;
    }
    struct attempt *a = calloc(1, sizeof *a);
    if (!a) {
        return -ENOMEM;
    }
    a->office = office;
    a->login = login;
    a->peer = facts->peer;
    a->kind = kind;
    a->encrypted = facts->encrypted;
    a->bindable = bindable;
    if (bindable) {
        memcpy(a->exporter, facts->exporter.ptr, sizeof a->exporter);
    }
    office->last_id += office->last_id + 1 == LOGIN_NOBODY ? 2 : 1;
    a->id = office->last_id;
    a->timer.fire = on_timer;
    list_append(&office->attempts, &a->node);
    login->impl = a;
    return 0;
}

static void step(struct logins *logins, struct login *login, struct str response)
{
    struct attempt *a = login->impl;
    struct clock *clock = a->office->ports->clock;
    (void)logins;
    struct login_question question = {
        .asked = a->line ? LOGIN_STEP : LOGIN_BEGIN,
        .id = a->id,
        .kind = a->kind,
        .network = guard_network(a->office->service->guard, a->peer),
        .encrypted = a->encrypted,
        .exporter = str_from(a->exporter, a->bindable ? sizeof a->exporter : 0),
        .response = response};
    if (!guard_allows(a->office->service->guard, a->peer, STR(""), clock->monotonic_us(clock))) {
        tell_after(a, LOGIN_BLOCKED, (struct span){0});
    } else if (response.len > LOGIN_RESPONSE_MAX) {
        tell_after(a, LOGIN_MALFORMED, (struct span){0});
    } else if ((a->line ? ask(a, &question) : ask_first(a, &question)) != 0) {
        tell_after(a, LOGIN_LATER, (struct span){0});
    } else {
        a->asked = true;
        a->waited_us = 0;
        list_remove(&a->node); /* its answer is looked for before those of who asks nothing */
        list_prepend(&a->office->attempts, &a->node);
        wait_for_answer(a);
    }
}

/* Who shows a bad token hears why, and may go before it is said that he failed. */
static bool heard_why(const struct attempt *a)
{
    bool shows_token = a->kind == SASL_OAUTHBEARER || a->kind == SASL_XOAUTH2;
    return shows_token && a->result == LOGIN_MORE && a->challenge.len > 0;
}

static void end(struct logins *logins, struct login *login)
{
    struct attempt *a = login->impl;
    (void)logins;
    login->impl = NULL;
    if (!a) {
        return;
    }
    if (a->asked) {
        a->login = NULL;
        return;
    }
    if (heard_why(a)) {
        struct clock *clock = a->office->ports->clock;
        (void)guard_failed(a->office->service->guard, a->peer, buf_str(&a->user),
                           clock->monotonic_us(clock));
    }
    finish(a);
}

int login_service_new(const struct login_options *options, struct login_service **made)
{
    struct hash_seed seed; /* another at each start: attackers fill the guard's table */
    struct login_service *service = calloc(1, sizeof *service);
    if (!service) {
        return -ENOMEM;
    }
    service->options = *options;
    list_init(&service->offices);
    atomic_init(&service->mechanisms, options->mechanisms);
    atomic_init(&service->generation, 1);
    bool random = getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed;
    service->guard = random ? guard_new(seed) : NULL;
    if (!service->guard) {
        free(service);
        return random ? -ENOMEM : -EIO;
    }
    *made = service;
    return 0;
}

void login_service_free(struct login_service *service)
{
    if (service) {
        guard_free(service->guard);
        free(service);
    }
}

void login_service_renew(struct login_service *service, sasl_set mechanisms)
{
    atomic_store(&service->mechanisms, mechanisms);
    atomic_fetch_add(&service->generation, 1);
    LIST_EACH (node, &service->offices) {
        struct loop_logins *office = CONTAINER_OF(node, struct loop_logins, node);
        if (!atomic_exchange(&office->renewing, true)) {
            office->ports->inbox->post(office->ports->inbox, &office->renewal);
        }
    }
}

struct logins *logins_new(struct login_service *service, struct loop *loop)
{
    struct loop_logins *office = calloc(1, sizeof *office);
    if (!office) {
        return NULL;
    }
    *office = (struct loop_logins){
        .port = {.mechanisms = mechanisms, .begin = begin, .step = step, .end = end},
        .service = service,
        .loop = loop,
        .ports = loop_ports(loop),
        .renewal = {.open = renew}};
    list_init(&office->attempts);
    list_append(&service->offices, &office->node);
    return &office->port;
}

void logins_close(struct logins *logins)
{
    if (logins) {
        struct loop_logins *office = CONTAINER_OF(logins, struct loop_logins, port);
        LIST_EACH (node, &office->attempts) {
            finish(CONTAINER_OF(node, struct attempt, node));
        }
        drop_line(office->newest);
        office->newest = NULL;
        list_remove(&office->node);
    }
}

void logins_free(struct logins *logins)
{
    if (logins) {
        free(CONTAINER_OF(logins, struct loop_logins, port));
    }
}
