#include "allowance/keeper.h"

#include "world/whole_file.h"

#include <errno.h>
#include <string.h>

static void tell(const struct allowance_keeper *k, const char *event, const char *reason)
{
    log_event(loop_ports(k->loop)->log, LOG_WARNING, event, F_STR("path", str_from_cstr(k->file)),
              F_STR("reason", str_from_cstr(reason)));
}

static void load(struct allowance_keeper *k)
{
    struct buf text = {0};
    struct file_stamp stamp;
    int error = whole_file_read(k->file, &text, &stamp);
    if (error != 0 && error != -ENOENT) {
        tell(k, "allowances-damaged", strerror(-error));
    } else if (error == 0 && !allowance_desk_load(k->desk, buf_str(&text))) {
        tell(k, "allowances-damaged", "it is not as it was written; all users begin anew");
    }
    buf_done(&text);
}

int allowance_keeper_open(struct allowance_keeper *k, struct loop *home, struct loop **loops,
                          size_t count, struct str spool_path)
{
    const struct ports *ports = loop_ports(home);
    struct hash_seed seed = {ports->entropy->u64(ports->entropy),
                             ports->entropy->u64(ports->entropy)};
    struct str file = arena_format(&k->memory, "%.*s/allowances", STR_ARG(spool_path));
    k->loop = home;
    k->desk = file.ptr ? allowance_desk_new(seed) : NULL;
    if (!k->desk) {
        return -ENOMEM;
    }
    k->file = file.ptr;
    load(k);
    loop_set_allowances(home, allowance_desk_port(k->desk));
    for (size_t i = 0; i < count; i++) {
        loop_set_allowances(loops[i], allowance_desk_port(k->desk));
    }
    return 0;
}

static void judge(struct allowance_keeper *k)
{
    if (k->result != 0) {
        allowance_desk_save_again(k->desk);
    }
    if (k->result != 0 && !k->trouble) {
        tell(k, "allowances-trouble", strerror(-k->result));
    } else if (k->result == 0 && k->trouble) {
        tell(k, "allowances-back", "");
    }
    k->trouble = k->result != 0;
}

static void run_save(struct work *work)
{
    struct allowance_keeper *k = work->owner;
    k->result = whole_file_replace(k->file, buf_str(&k->saved));
}

static void arm(struct allowance_keeper *k)
{
    struct timers *timers = loop_ports(k->loop)->timers;
    timers->arm(timers, &k->tick, SPAN_S(KEEPER_EVERY_S));
}

static void saved(struct work *work)
{
    struct allowance_keeper *k = work->owner;
    buf_done(&k->saved);
    judge(k);
    arm(k);
}

/* The loop ends: the thread may have been too late, and the last state is written anyway. */
static void forgotten(struct work *work)
{
    struct allowance_keeper *k = work->owner;
    buf_done(&k->saved);
    allowance_desk_save_again(k->desk);
}

static void on_tick(struct timer *timer)
{
    struct allowance_keeper *k = CONTAINER_OF(timer, struct allowance_keeper, tick);
    if (!allowance_desk_save(k->desk, &k->saved)) {
        buf_done(&k->saved); /* without memory: another time */
        arm(k);
        return;
    }
    k->work = (struct work){.run = run_save, .done = saved, .forget = forgotten, .owner = k};
    k->result = work_start(k->loop, &k->work);
    if (k->result != 0) {
        saved(&k->work);
    }
}

void allowance_keeper_start(struct allowance_keeper *k)
{
    if (k->desk) {
        k->tick.fire = on_tick;
        arm(k);
    }
}

void allowance_keeper_close(struct allowance_keeper *k)
{
    /* Who was never started may not have the spool: another server has. */
    if (k->desk && k->tick.fire && allowance_desk_save(k->desk, &k->saved)) {
        (void)!whole_file_replace(k->file, buf_str(&k->saved)); /* there is no log any more */
    }
    buf_done(&k->saved);
    allowance_desk_free(k->desk);
    arena_done(&k->memory);
    *k = (struct allowance_keeper){0};
}
