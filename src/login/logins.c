#include "login/logins.h"

#include <errno.h>
#include <gsasl.h>
#include <stdlib.h>
#include <string.h>

#include "world/work.h"

enum { RESPONSE_MAX = 12288 }; /* RFC 4954 section 4 */

struct login_service {
    struct user_file *users;
    struct exchange_maker *maker;
    struct guard *guard;
    sasl_set mechanisms;
};

struct loop_logins {
    struct logins port;
    struct login_service *service;
    struct loop *loop;
    const struct ports *ports;
};

/* One exchange. It outlives its `login` while a thread works for it. */
struct attempt {
    struct loop_logins *office;
    struct login *login; /* null: given up */
    struct exchange *exchange;
    struct ip peer;
    struct work work;
    struct timer timer;
    bool working;
    enum login_result result;
    struct buf response, challenge, user;
};

static void free_attempt(struct attempt *a)
{
    struct timers *timers = a->office->ports->timers;
    timers->cancel(timers, &a->timer);
    exchange_free(a->exchange);
    if (a->response.ptr) {
        explicit_bzero(a->response.ptr, a->response.cap);
    }
    buf_done(&a->response);
    buf_done(&a->challenge);
    buf_done(&a->user);
    free(a);
}

static void mechanisms(struct logins *logins, const struct login_facts *facts, struct buf *out)
{
    struct loop_logins *office = CONTAINER_OF(logins, struct loop_logins, port);
    exchange_mechanisms(office->service->mechanisms, facts, out);
}

static void tell(struct attempt *a)
{
    struct login *login = a->login;
    login->result = a->result;
    login->challenge = a->challenge;
    login->user = buf_str(&a->user);
    login->stepped(login);
}

static void on_timer(struct timer *timer)
{
    tell(CONTAINER_OF(timer, struct attempt, timer));
}

static void run(struct work *work)
{
    struct attempt *a = work->owner;
    a->result = exchange_step(a->exchange, buf_str(&a->response), &a->challenge, &a->user);
}

static void forget(struct work *work)
{
    struct attempt *a = work->owner;
    a->working = false;
    exchange_free(a->exchange);
    buf_done(&a->response);
    buf_done(&a->challenge);
    buf_done(&a->user);
    free(a);
}

static void done(struct work *work)
{
    struct attempt *a = work->owner;
    struct guard *guard = a->office->service->guard;
    struct timers *timers = a->office->ports->timers;
    int64_t now = a->office->ports->clock->monotonic_us(a->office->ports->clock);
    struct span wait = {0};
    a->working = false;
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
    if (!a->login) { /* who hangs up does not escape the count */
        free_attempt(a);
    } else if (wait.us > 0) {
        timers->arm(timers, &a->timer, wait);
    } else {
        tell(a);
    }
}

static int begin(struct logins *logins, struct login *login, const struct login_facts *facts)
{
    struct loop_logins *office = CONTAINER_OF(logins, struct loop_logins, port);
    struct attempt *a = calloc(1, sizeof *a);
    if (!a) {
        return -ENOMEM;
    }
    a->office = office;
    a->login = login;
    a->peer = facts->peer;
    a->timer.fire = on_timer;
    a->work = (struct work){.run = run, .done = done, .forget = forget, .owner = a};
    int error = exchange_new(office->service->maker, facts, &a->exchange);
    if (error) {
        free(a);
        return error;
    }
    login->impl = a;
    return 0;
}

/* Told at the next turn, for `stepped` never runs inside step(). */
static void tell_soon(struct attempt *a, enum login_result result)
{
    struct timers *timers = a->office->ports->timers;
    a->result = result;
    timers->arm(timers, &a->timer, (struct span){0});
}

static void step(struct logins *logins, struct login *login, struct str response)
{
    struct attempt *a = login->impl;
    struct clock *clock = a->office->ports->clock;
    struct ip peer = a->peer;
    (void)logins;
    buf_clear(&a->response);
    buf_add(&a->response, response);
    if (!guard_allows(a->office->service->guard, peer, STR(""), clock->monotonic_us(clock))) {
        tell_soon(a, LOGIN_BLOCKED);
    } else if (response.len > RESPONSE_MAX) {
        tell_soon(a, LOGIN_MALFORMED);
    } else if (a->response.failed || work_start(a->office->loop, &a->work) != 0) {
        tell_soon(a, LOGIN_LATER);
    } else {
        a->working = true;
    }
}

static void end(struct logins *logins, struct login *login)
{
    struct attempt *a = login->impl;
    (void)logins;
    login->impl = NULL;
    if (a && a->working) {
        a->login = NULL;
    } else if (a) {
        free_attempt(a);
    }
}

static int fill(struct login_service *service, const struct login_options *options)
{
    struct login_secret secret;
    struct hash_seed seed; /* another at each start: attackers fill the guard's table */
    int error = login_secret_get(options->folder, &secret);
    if (error) {
        return error;
    }
    service->mechanisms = options->mechanisms;
    service->users = user_file_new(options->users_file);
    if (!service->users) {
        return -ENOMEM;
    }
    service->maker = exchange_maker_new(service->users, options->mechanisms, &secret);
    explicit_bzero(&secret, sizeof secret);
    if (!service->maker || gsasl_random((char *)&seed, sizeof seed) != GSASL_OK) {
        return -ENOTSUP;
    }
    service->guard = guard_new(seed);
    return service->guard ? 0 : -ENOMEM;
}

int login_service_new(const struct login_options *options, struct login_service **made)
{
    struct login_service *service = calloc(1, sizeof *service);
    if (!service) {
        return -ENOMEM;
    }
    int error = fill(service, options);
    if (error) {
        login_service_free(service);
        return error;
    }
    *made = service;
    return 0;
}

void login_service_free(struct login_service *service)
{
    if (service) {
        guard_free(service->guard);
        exchange_maker_free(service->maker);
        user_file_free(service->users);
        free(service);
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
        .ports = loop_ports(loop)};
    return &office->port;
}

void logins_free(struct logins *logins)
{
    if (logins) {
        free(CONTAINER_OF(logins, struct loop_logins, port));
    }
}
