#include "supervise/link.h"

#include "supervise/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int ask(struct supervisor_link *link, const struct message *question)
{
    struct message answer;
    pthread_mutex_lock(&link->lock);
    int error = channel_send(link->channel, question);
    if (error == 0) {
        error = channel_receive(link->channel, &answer);
    }
    pthread_mutex_unlock(&link->lock);
    if (error == 0) {
        error = answer.error;
    }
    if (error) {
        return error;
    }
    return answer.descriptor >= 0 ? answer.descriptor : -EPROTO;
}

static int get(struct socket_keeper *keeper, unsigned loop, struct listening_place place)
{
    struct supervisor_link *link = CONTAINER_OF(keeper, struct supervisor_link, keeper);
    struct message question = {
        .kind = MESSAGE_LISTEN, .loop = loop, .at = place.at, .local_path = place.local_path};
    return ask(link, &question);
}

int supervisor_link_runner(struct supervisor_link *link, bool stuck)
{
    struct message question = {.kind = MESSAGE_RUNNER, .error = stuck};
    return ask(link, &question);
}

int supervisor_link_postman(struct supervisor_link *link, bool stuck)
{
    struct message question = {.kind = MESSAGE_POSTMAN, .error = stuck};
    return ask(link, &question);
}

int supervisor_link_keys(struct supervisor_link *link, bool stuck)
{
    struct message question = {.kind = MESSAGE_KEYS, .error = stuck};
    return ask(link, &question);
}

int supervisor_link_dkim(struct supervisor_link *link, bool stuck)
{
    struct message question = {.kind = MESSAGE_DKIM, .error = stuck};
    return ask(link, &question);
}

int supervisor_link_login(struct supervisor_link *link, bool stuck)
{
    struct message question = {.kind = MESSAGE_LOGIN, .error = stuck};
    return ask(link, &question);
}

/* There is no answer to wait for. */
static void release(struct socket_keeper *keeper, unsigned loop, struct listening_place place)
{
    struct supervisor_link *link = CONTAINER_OF(keeper, struct supervisor_link, keeper);
    struct message message = {
        .kind = MESSAGE_RELEASE, .loop = loop, .at = place.at, .local_path = place.local_path};
    if (!link->keeps) {
        (void)!channel_send(link->channel, &message);
    }
}

int supervisor_link_open(struct supervisor_link *link, int channel)
{
    if (fcntl(channel, F_SETFD, FD_CLOEXEC) != 0) {
        return -errno;
    }
    *link =
        (struct supervisor_link){.keeper = {.get = get, .release = release}, .channel = channel};
    return -pthread_mutex_init(&link->lock, NULL);
}

static void tell(struct supervisor_link *link, enum message_kind kind)
{
    struct message message = {.kind = kind};
    (void)!channel_send(link->channel, &message);
}

void supervisor_link_ready(struct supervisor_link *link)
{
    tell(link, MESSAGE_READY);
}

void supervisor_link_reloaded(struct supervisor_link *link)
{
    tell(link, MESSAGE_RELOADED);
}

void supervisor_link_keep_sockets(struct supervisor_link *link)
{
    link->keeps = true;
}

void supervisor_link_close(struct supervisor_link *link)
{
    close(link->channel);
    pthread_mutex_destroy(&link->lock);
}
