#include "allowance/allowances.h"

#include "world/clock.h"

#include <pthread.h>
#include <stdlib.h>

struct allowance_desk {
    struct allowances port;
    pthread_mutex_t mutex;
    struct allowance_book book;
};

static struct allowance_desk *enter(struct allowances *port)
{
    struct allowance_desk *desk = CONTAINER_OF(port, struct allowance_desk, port);
    pthread_mutex_lock(&desk->mutex);
    return desk;
}

static void leave(struct allowance_desk *desk)
{
    pthread_mutex_unlock(&desk->mutex);
}

static struct allowance_answer op_reserve(struct allowances *port, const struct allowance_ask *ask)
{
    struct allowance_desk *desk = enter(port);
    struct allowance_answer answer = allowance_reserve(&desk->book, ask, clock_monotonic_us());
    leave(desk);
    return answer;
}

static void op_settle(struct allowances *port, struct str user, struct allowance reserved,
                      struct allowance taken)
{
    struct allowance_desk *desk = enter(port);
    allowance_settle(&desk->book, user, reserved, taken, clock_monotonic_us());
    leave(desk);
}

static struct allowance_state *op_list(struct allowances *port, struct str user,
                                       struct arena *arena, size_t *count)
{
    struct allowance_desk *desk = enter(port);
    struct allowance_state *states =
        allowance_list(&desk->book, user, arena, clock_monotonic_us(), count);
    leave(desk);
    return states;
}

static bool op_reset(struct allowances *port, struct str user)
{
    struct allowance_desk *desk = enter(port);
    bool any = allowance_reset(&desk->book, user);
    leave(desk);
    return any;
}

struct allowance_desk *allowance_desk_new(struct hash_seed seed)
{
    struct allowance_desk *desk = calloc(1, sizeof *desk);
    if (desk) {
        desk->port = (struct allowances){
            .reserve = op_reserve, .settle = op_settle, .list = op_list, .reset = op_reset};
        pthread_mutex_init(&desk->mutex, NULL);
        allowance_book_init(&desk->book, seed);
    }
    return desk;
}

void allowance_desk_free(struct allowance_desk *desk)
{
    if (desk) {
        allowance_book_done(&desk->book);
        pthread_mutex_destroy(&desk->mutex);
        free(desk);
    }
}

struct allowances *allowance_desk_port(struct allowance_desk *desk)
{
    return &desk->port;
}

bool allowance_desk_load(struct allowance_desk *desk, struct str text)
{
    (void)enter(&desk->port);
    bool fine = allowance_load(&desk->book, text, clock_monotonic_us(), clock_wall());
    leave(desk);
    return fine;
}

bool allowance_desk_save(struct allowance_desk *desk, struct buf *out)
{
    (void)enter(&desk->port);
    bool changed = desk->book.changed;
    if (changed) {
        allowance_save(&desk->book, out, clock_monotonic_us(), clock_wall());
    }
    leave(desk);
    return changed && !out->failed;
}

void allowance_desk_save_again(struct allowance_desk *desk)
{
    (void)enter(&desk->port);
    desk->book.changed = true;
    leave(desk);
}
