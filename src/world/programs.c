#include "world/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world/inside.h"
#include "world/program_starter.h"

/* A program may leave a child behind that holds its output open: how long we then read on. */
#define OUTPUT_GRACE SPAN_S(1)
/* How long a starter may take to kill a program, and to tell. */
#define KILL_GRACE SPAN_S(2)

struct running {
    struct loop *loop;
    struct program_run *run; /* null where nobody is to be told */
    struct list node;
    uv_process_t process;
    uv_poll_t end; /* instead: a starter's descriptor, by which it tells the end */
    int end_at;    /* that descriptor; -1: none */
    uv_pipe_t input;
    uv_pipe_t output;
    uv_write_t writing;
    struct timer limit; /* and after the end, the grace */
    struct soon soon;
    int open_handles;
    int error;
    bool has_process; /* the handle was initialised, whether or not it started */
    bool started;
    bool exited;
    bool finished;
    bool input_closed;
    bool output_closed;
};

static void on_handle_closed(uv_handle_t *handle)
{
    struct running *r = handle->data;
    if (--r->open_handles > 0) {
        return;
    }
    struct program_run *run = r->run;
    list_remove(&r->node);
    if (run) {
        run->impl = NULL;
    }
    free(r);
    if (run) {
        run->done(run);
    }
}

static void close_input(struct running *r)
{
    if (!r->input_closed) {
        r->input_closed = true;
        uv_close((uv_handle_t *)&r->input, on_handle_closed);
    }
}

static void close_output(struct running *r)
{
    if (!r->output_closed) {
        r->output_closed = true;
        uv_close((uv_handle_t *)&r->output, on_handle_closed);
    }
}

static void on_end_closed(uv_handle_t *handle)
{
    struct running *r = handle->data;
    close(r->end_at);
    on_handle_closed(handle);
}

/* Only while the process is not waited for can its number not be another's. */
static void kill_group(struct running *r)
{
    if (!r->started || r->exited) {
        return;
    }
    if (r->end_at >= 0) {
        shutdown(r->end_at, SHUT_WR);
    } else {
        kill(-r->process.pid, SIGKILL);
    }
}

static void finish(struct running *r)
{
    r->loop->ports.timers->cancel(r->loop->ports.timers, &r->limit);
    soon_cancel(&r->soon);
    close_input(r);
    close_output(r);
    r->finished = true;
    if (r->has_process) {
        uv_close((uv_handle_t *)&r->process, on_handle_closed);
    }
    if (r->end_at >= 0) {
        uv_close((uv_handle_t *)&r->end, on_end_closed);
    }
}

static void exited(struct running *r, int status, int signal_number)
{
    r->exited = true;
    if (r->run) {
        r->run->exit_status = signal_number ? -1 : status;
        r->run->signal = signal_number;
    }
    if (!r->run || r->output_closed) {
        finish(r);
        return;
    }
    r->loop->ports.timers->arm(r->loop->ports.timers, &r->limit, OUTPUT_GRACE);
}

static void on_exit_status(uv_process_t *process, int64_t status, int signal_number)
{
    exited(process->data, (int)status, signal_number);
}

/* A starter that goes without a word leaves a program of which nothing is known. */
static void on_end(uv_poll_t *poll, int status, int events)
{
    struct running *r = poll->data;
    struct program_end end = {.error = -EPIPE};
    (void)status;
    (void)events;
    ssize_t got = recv(r->end_at, &end, sizeof end, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    uv_poll_stop(poll);
    if (got != (ssize_t)sizeof end) {
        end = (struct program_end){.error = -EPIPE};
    }
    if (end.error && r->run) {
        r->run->error = end.error;
        r->exited = true;
        finish(r);
        return;
    }
    exited(r, end.exit_status, end.signal);
}

static void give_up(struct running *r)
{
    struct program_starter *starter = r->loop->programs.starter;
    r->exited = true;
    if (starter->stuck && r->run->argc > 0) {
        starter->stuck(starter, r->run->argv[0]);
    }
    finish(r);
}

static void on_limit(struct timer *timer)
{
    struct running *r = CONTAINER_OF(timer, struct running, limit);
    if (r->exited) {
        finish(r);
    } else if (r->run->timed_out) {
        give_up(r);
    } else {
        r->run->timed_out = true;
        kill_group(r);
        if (r->end_at >= 0) {
            r->loop->ports.timers->arm(r->loop->ports.timers, &r->limit, KILL_GRACE);
        }
    }
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct running *r = stream->data;
    if (n > 0) {
        struct buf *output = &r->run->output;
        size_t room = r->run->output_limit > output->len ? r->run->output_limit - output->len : 0;
        buf_add(output, str_head(str_from(buf->base, (size_t)n), room));
    } else if (n < 0) {
        close_output(r);
        if (r->exited) {
            finish(r);
        }
    }
}

static void on_soon(struct soon *soon)
{
    struct running *r = CONTAINER_OF(soon, struct running, soon);
    if (r->error) {
        r->run->error = r->error;
        finish(r);
    } else if (!r->input_closed) {
        r->run->wants_input(r->run);
    }
}

/* Whoever reads no more is fed no more; that is no error. */
static void on_input_taken(uv_write_t *request, int status)
{
    struct running *r = request->handle->data;
    if (r->input_closed) {
        return;
    }
    if (status < 0) {
        close_input(r);
    } else {
        r->run->wants_input(r->run);
    }
}

static char **make_vector(const struct str *items, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += items[i].len + 1;
    }
    char **vector = malloc((count + 1) * sizeof *vector + bytes);
    if (!vector) {
        return NULL;
    }
    char *at = (char *)(vector + count + 1);
    for (size_t i = 0; i < count; i++) {
        vector[i] = at;
        if (items[i].len) {
            memcpy(at, items[i].ptr, items[i].len);
        }
        at[items[i].len] = '\0';
        at += items[i].len + 1;
    }
    vector[count] = NULL;
    return vector;
}

static bool holds_nul(const struct str *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_find(items[i], '\0') != STR_NONE) {
            return true;
        }
    }
    return false;
}

/* By a starter that is not this process. */
static int order_start(struct running *r, const int theirs[2])
{
    struct program_starter *starter = r->loop->programs.starter;
    struct program_order order = {.argv = r->run->argv,
                                  .argc = r->run->argc,
                                  .environment = r->run->environment,
                                  .environment_count = r->run->environment_count,
                                  .input = theirs[0],
                                  .output = theirs[1]};
    int end_at = starter->start(starter, &order);
    if (end_at < 0) {
        return end_at;
    }
    int error = uv_poll_init(&r->loop->uv, &r->end, end_at);
    if (error) {
        close(end_at);
        return error;
    }
    r->end_at = end_at;
    r->open_handles++;
    r->started = true;
    return uv_poll_start(&r->end, UV_READABLE, on_end);
}

/* `theirs` are the child's ends. A group of its own, so that its children are killed with it. */
static int spawn(struct running *r, const int theirs[2])
{
    struct program_run *run = r->run;
    if (run->argc == 0 || holds_nul(run->argv, run->argc) ||
        holds_nul(run->environment, run->environment_count)) {
        return -EINVAL;
    }
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_INHERIT_FD, .data.fd = theirs[0]},
        {.flags = UV_INHERIT_FD, .data.fd = theirs[1]},
        {.flags = UV_INHERIT_FD, .data.fd = theirs[1]},
    };
    uv_process_options_t options = {
        .exit_cb = on_exit_status,
        .args = make_vector(run->argv, run->argc),
        .env = make_vector(run->environment, run->environment_count),
        .cwd = "/",
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = 3,
        .stdio = stdio,
    };
    int error = -ENOMEM;
    if (options.args && options.env) {
        options.file = options.args[0];
        /* Whatever a library may have opened without O_CLOEXEC: no child shall have it. */
        close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        r->has_process = true;
        r->open_handles++;
        error = uv_spawn(&r->loop->uv, &r->process, &options);
    }
    free(options.args);
    free(options.env);
    r->started = error == 0;
    return error;
}

/* Two pipes: to the program's input, and from its output and errors. */
static int connect_pipes(struct running *r, int theirs[2])
{
    int in[2] = {-1, -1};
    int out[2] = {-1, -1};
    if (pipe2(in, O_CLOEXEC) != 0) {
        return -errno;
    }
    theirs[0] = in[0];
    if (pipe2(out, O_CLOEXEC) != 0) {
        int error = -errno;
        close(in[1]);
        return error;
    }
    theirs[1] = out[1];
    int error = uv_pipe_open(&r->input, in[1]);
    if (error) {
        close(in[1]);
        close(out[0]);
        return error;
    }
    error = uv_pipe_open(&r->output, out[0]);
    if (error) {
        close(out[0]);
        return error;
    }
    return uv_read_start((uv_stream_t *)&r->output, loop_scratch, on_output);
}

static int begin(struct running *r)
{
    int theirs[2] = {-1, -1};
    int error = connect_pipes(r, theirs);
    if (error == 0) {
        error = r->loop->programs.starter ? order_start(r, theirs) : spawn(r, theirs);
    }
    for (int i = 0; i < 2; i++) {
        if (theirs[i] >= 0) {
            close(theirs[i]);
        }
    }
    return error;
}

static void on_starved(struct soon *soon)
{
    struct loop_programs *p = CONTAINER_OF(soon, struct loop_programs, starved_soon);
    for (struct program_run *run; (run = p->starved);) {
        p->starved = run->impl;
        run->impl = NULL;
        run->error = -ENOMEM;
        run->done(run);
    }
}

static void op_start(struct programs *programs, struct program_run *run)
{
    struct loop_programs *p = CONTAINER_OF(programs, struct loop_programs, port);
    run->error = 0;
    run->exit_status = -1;
    run->signal = 0;
    run->timed_out = false;
    run->output = (struct buf){0};
    struct running *r = calloc(1, sizeof *r);
    if (!r) {
        run->impl = p->starved;
        p->starved = run;
        loop_soon(p->loop, &p->starved_soon);
        return;
    }
    r->loop = p->loop;
    r->run = run;
    r->limit.fire = on_limit;
    r->soon.run = on_soon;
    r->process.data = r->end.data = r->input.data = r->output.data = r;
    r->end_at = -1;
    r->open_handles = 2;
    uv_pipe_init(&p->loop->uv, &r->input, 0);
    uv_pipe_init(&p->loop->uv, &r->output, 0);
    run->impl = r;
    list_append(&p->running, &r->node);
    r->error = begin(r);
    if (r->error == 0) {
        p->loop->ports.timers->arm(p->loop->ports.timers, &r->limit, run->limit);
    }
    loop_soon(p->loop, &r->soon);
}

static void op_write_input(struct programs *programs, struct program_run *run, struct str bytes)
{
    struct loop_programs *p = CONTAINER_OF(programs, struct loop_programs, port);
    struct running *r = run->impl;
    if (!r || r->input_closed) {
        return;
    }
    if (bytes.len == 0) {
        loop_soon(p->loop, &r->soon);
        return;
    }
    union { /* libuv does not write to what it sends, but its type says otherwise */
        const char *from;
        char *to;
    } base = {.from = bytes.ptr};
    uv_buf_t buf = uv_buf_init(base.to, (unsigned)bytes.len);
    if (uv_write(&r->writing, (uv_stream_t *)&r->input, &buf, 1, on_input_taken) != 0) {
        close_input(r);
    }
}

static void op_end_input(struct programs *programs, struct program_run *run)
{
    (void)programs;
    struct running *r = run->impl;
    if (r) {
        close_input(r);
    }
}

void loop_programs_init(struct loop_programs *p, struct loop *loop)
{
    p->port = (struct programs){
        .start = op_start, .write_input = op_write_input, .end_input = op_end_input};
    p->loop = loop;
    p->starved_soon.run = on_starved;
    list_init(&p->running);
}

void loop_programs_close(struct loop_programs *p)
{
    LIST_EACH (node, &p->running) {
        struct running *r = CONTAINER_OF(node, struct running, node);
        kill_group(r);
        r->run = NULL;
        if (!r->finished) {
            finish(r);
        }
    }
}

void loop_set_starter(struct loop *loop, struct program_starter *starter)
{
    loop->programs.starter = starter;
}
