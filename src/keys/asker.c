#include "keys/asker.h"

#include "keys/question.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Far more than a signature takes. A process that hangs holds up the loop so long, once: then it is
 * replaced. */
static const struct timeval patience = {.tv_sec = 2};

static int connected(struct key_asker *asker)
{
    if (asker->socket < 0) {
        asker->socket = asker->connect(asker->owner, asker->stuck);
        asker->stuck = false;
        if (asker->socket >= 0) {
            (void)setsockopt(asker->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        }
    }
    return asker->socket;
}

static int ask(struct key_asker *asker, const struct key_question *question,
               struct key_answer *answer)
{
    int socket = connected(asker);
    if (socket < 0) {
        return socket;
    }
    ssize_t got = send(socket, question, sizeof *question, MSG_NOSIGNAL);
    while (got > 0) {
        got = recv(socket, answer, sizeof *answer, 0);
        if (got >= 0 || errno != EINTR) {
            break;
        }
        got = 1;
    }
    asker->stuck = got < 0 && errno == EAGAIN;
    if (got == (ssize_t)sizeof *answer && answer->result <= KEY_BYTES_MAX) {
        return 0;
    }
    key_asker_close(asker); /* an answer that comes late must not pass for another one's */
    return -EPIPE;
}

static int sign(struct key_signer *signer, const struct key_id *id, enum key_operation operation,
                struct str input, unsigned char *out)
{
    struct key_asker *asker = CONTAINER_OF(signer, struct key_asker, signer);
    struct key_question question = {.id = *id, .operation = (uint32_t)operation};
    struct key_answer answer;
    if (input.len > sizeof question.input) {
        return -EINVAL;
    }
    question.len = (uint32_t)input.len;
    memcpy(question.input, input.ptr, input.len);
    int error = ask(asker, &question, &answer);
    if (error == -EPIPE) {
        error = ask(asker, &question, &answer); /* another process has taken its place */
    }
    if (error) {
        return error;
    }
    if (answer.result > 0) {
        memcpy(out, answer.made, (size_t)answer.result);
    }
    return answer.result;
}

int key_asker_chain(struct key_asker *asker, uint32_t pair, struct buf *out)
{
    struct key_question question = {.operation = QUESTION_CHAIN, .len = sizeof(struct chain_place)};
    struct key_answer answer;
    for (size_t start = out->len; out->len - start < CHAIN_TEXT_MAX;) {
        struct chain_place place = {.pair = pair, .offset = (uint32_t)(out->len - start)};
        memcpy(question.input, &place, sizeof place);
        int error = ask(asker, &question, &answer);
        if (error || answer.result <= 0) {
            return error ? error : answer.result;
        }
        buf_add(out, str_from((const char *)answer.made, (size_t)answer.result));
        if (out->failed) {
            return -ENOMEM;
        }
    }
    return -EFBIG;
}

void key_asker_open(struct key_asker *asker, int (*connect)(void *owner, bool stuck), void *owner)
{
    *asker =
        (struct key_asker){.signer.sign = sign, .connect = connect, .owner = owner, .socket = -1};
}

void key_asker_close(struct key_asker *asker)
{
    if (asker->socket >= 0) {
        close(asker->socket);
        asker->socket = -1;
    }
}
