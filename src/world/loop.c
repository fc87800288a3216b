#include "world/loop.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "world/inside.h"
#include "world/log.h"

struct instant clock_wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (struct instant){(int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000};
}

int64_t clock_monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static struct instant wall(struct clock *clock)
{
    (void)clock;
    return clock_wall();
}

static int64_t monotonic(struct clock *clock)
{
    (void)clock;
    return clock_monotonic_us();
}

/* An active idle handle keeps libuv from waiting for events; what is added while this runs is done
 * at the next turn, after the events that have come meanwhile. */
static void on_turn(uv_idle_t *idle)
{
    struct loop *loop = idle->data;
    struct list now;
    list_init(&now);
    for (struct list *node; (node = list_pop(&loop->soon));) {
        list_append(&now, node);
    }
    for (struct list *node; (node = list_pop(&now));) {
        struct soon *soon = CONTAINER_OF(node, struct soon, node);
        soon->run(soon);
    }
    if (list_empty(&loop->soon)) {
        uv_idle_stop(idle);
    }
}

static void on_prepare(uv_prepare_t *prepare)
{
    (void)prepare;
    log_flush();
}

void loop_soon(struct loop *loop, struct soon *soon)
{
    if (loop->closing || list_linked(&soon->node)) {
        return;
    }
    list_append(&loop->soon, &soon->node);
    uv_idle_start(&loop->turn, on_turn);
}

void soon_cancel(struct soon *soon)
{
    list_remove(&soon->node);
}

void loop_scratch(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct loop *loop = handle->loop->data;
    *buf = uv_buf_init(loop->scratch, LOOP_SCRATCH);
}

static void set_ports(struct loop *loop, struct log *log)
{
    loop->clock = (struct clock){.wall = wall, .monotonic_us = monotonic};
    loop->ports = (struct ports){
        .clock = &loop->clock,
        .timers = &loop->timers.port,
        .entropy = &loop->entropy.port,
        .disk = &loop->disk.port,
        .net = &loop->net.port,
        .resolver = &loop->resolver.port,
        .programs = &loop->programs.port,
        .log = log,
        .inbox = &loop->inbox.port,
    };
}

struct loop *loop_new(struct log *log, struct dns_service *dns)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        return NULL;
    }
    loop->scratch = malloc(LOOP_SCRATCH);
    if (!loop->scratch || uv_loop_init(&loop->uv) != 0) {
        free(loop->scratch);
        free(loop);
        return NULL;
    }
    signal(SIGPIPE, SIG_IGN); /* libuv writes to sockets by write(2) */
    loop->uv.data = loop;
    list_init(&loop->soon);
    uv_idle_init(&loop->uv, &loop->turn);
    loop->turn.data = loop;
    uv_prepare_init(&loop->uv, &loop->before_waiting);
    uv_prepare_start(&loop->before_waiting, on_prepare);
    uv_unref((uv_handle_t *)&loop->before_waiting);
    set_ports(loop, log);
    loop_entropy_init(&loop->entropy);
    int error = loop_net_init(&loop->net, loop);
    loop_programs_init(&loop->programs, loop);
    loop_resolver_init(&loop->resolver, loop, dns);
    loop_disk_init(&loop->disk, loop);
    if (loop_timers_init(&loop->timers, loop) != 0 || loop_inbox_init(&loop->inbox, loop) != 0 ||
        error != 0) {
        loop_free(loop);
        return NULL;
    }
    return loop;
}

void loop_set_logins(struct loop *loop, struct logins *logins)
{
    loop->ports.logins = logins;
}

void loop_set_tls(struct loop *loop, struct tls *tls)
{
    loop->ports.tls = tls;
}

void loop_set_tally(struct loop *loop, struct tls_tally *tally)
{
    loop->ports.tally = tally;
}

void loop_set_allowances(struct loop *loop, struct allowances *allowances)
{
    loop->ports.allowances = allowances;
}

void loop_set_signer(struct loop *loop, struct signer *signer, struct crypto *crypto)
{
    loop->ports.signer = signer;
    loop->ports.crypto = crypto;
}

void loop_set_https(struct loop *loop, struct https *https)
{
    loop->ports.https = https;
}

const struct ports *loop_ports(const struct loop *loop)
{
    return &loop->ports;
}

void loop_run(struct loop *loop)
{
    log_hold(true);
    loop_inbox_settle(&loop->inbox);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    loop_inbox_settle(NULL);
    log_hold(false);
}

void loop_stop(struct loop *loop)
{
    loop_inbox_stop_loop(&loop->inbox);
}

void loop_free(struct loop *loop)
{
    if (!loop) {
        return;
    }
    loop->closing = true;
    loop_resolver_done(&loop->resolver);
    loop_disk_close(&loop->disk);
    loop_net_close(&loop->net);
    loop_programs_close(&loop->programs);
    loop_timers_close(&loop->timers);
    loop_inbox_close(&loop->inbox);
    uv_close((uv_handle_t *)&loop->turn, NULL);
    uv_close((uv_handle_t *)&loop->before_waiting, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT); /* the close callbacks, and the pool's last jobs */
    uv_loop_close(&loop->uv);
    loop_disk_done(&loop->disk);
    loop_net_done(&loop->net);
    loop_timers_done(&loop->timers);
    free(loop->scratch);
    free(loop);
}
