#include "world/stream.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 64, INPUT = EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP };

static void on_events(uv_poll_t *poll, int status, int mask)
{
    struct poller *p = poll->data;
    struct epoll_event events[EVENTS_AT_ONCE];
    (void)status, (void)mask;
    int count = epoll_wait(p->set, events, EVENTS_AT_ONCE, 0);
    for (int i = 0; i < count; i++) {
        uint32_t e = events[i].events;
        stream_ready(events[i].data.ptr, (struct stream_readiness){
                                             .input = (e & INPUT) != 0,
                                             .output = (e & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0,
                                             .last = (e & ~(uint32_t)(EPOLLIN | EPOLLOUT)) != 0,
                                         });
    }
}

int poller_init(struct poller *p, uv_loop_t *uv)
{
    p->set = epoll_create1(EPOLL_CLOEXEC);
    if (p->set < 0) {
        return -errno;
    }
    int error = uv_poll_init(uv, &p->uv, p->set);
    if (error) {
        close(p->set);
        p->set = -1;
        return error;
    }
    p->uv.data = p;
    return uv_poll_start(&p->uv, UV_READABLE, on_events);
}

static void on_closed(uv_handle_t *handle)
{
    struct poller *p = handle->data;
    close(p->set);
    p->set = -1;
}

void poller_close(struct poller *p)
{
    if (p->set >= 0) {
        uv_close((uv_handle_t *)&p->uv, on_closed);
    }
}

static int control(const struct poller *p, int what, struct loop_stream *s)
{
    uint32_t wanted = (s->muted ? 0 : EPOLLIN) | (s->wants_output ? EPOLLOUT : 0);
    struct epoll_event e = {.events = EPOLLRDHUP | EPOLLET | wanted, .data.ptr = s};
    return epoll_ctl(p->set, what, s->descriptor, &e) == 0 ? 0 : -errno;
}

int poller_join(struct poller *p, struct loop_stream *s)
{
    return control(p, EPOLL_CTL_ADD, s);
}

int poller_change(struct poller *p, struct loop_stream *s)
{
    return control(p, EPOLL_CTL_MOD, s);
}

void poller_leave(struct poller *p, struct loop_stream *s)
{
    (void)control(p, EPOLL_CTL_DEL, s);
}
