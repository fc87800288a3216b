#include "world/work.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "world/inside.h"

static void in_pool(uv_work_t *uv)
{
    struct work *work = uv->data;
    work->run(work);
}

static void back_on_loop(uv_work_t *uv, int status)
{
    struct work *work = uv->data;
    struct loop *loop = uv->loop->data;
    (void)status; /* nothing cancels it */
    free(uv);
    if (loop->closing) {
        work->forget(work);
    } else {
        work->done(work);
    }
}

int work_start(struct loop *loop, struct work *work)
{
    uv_work_t *uv = calloc(1, sizeof *uv);
    if (!uv) {
        return -ENOMEM;
    }
    uv->data = work;
    int error = uv_queue_work(&loop->uv, uv, in_pool, back_on_loop);
    if (error) {
        free(uv);
    }
    return error;
}
