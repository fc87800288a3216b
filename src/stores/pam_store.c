/* pam_store.c: PAM, as a store: it judges passwords itself, each in a process of its own
 * (pam_child.h) that ends with the time limit. */
#include "stores/pam_child.h"
#include "stores/store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READS, WRITES };

struct child {
    pid_t process;
    int question, answer; /* our ends */
};

/* The same program; it finds the pipes as its standard input and output. */
static int spawn(int input, int output, pid_t *process)
{
    static char program[] = "postrider", serve[] = "serve", part[] = "--pam";
    char *arguments[] = {program, serve, part, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, pipe;
    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    int error = posix_spawn_file_actions_init(&actions);
    if (error) {
        return -error;
    }
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                        POSIX_SPAWN_SETPGROUP);
        (void)posix_spawnattr_setsigdefault(&attributes, &pipe);
        (void)posix_spawnattr_setsigmask(&attributes, &none);
        error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
        error = error ? error : posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        error = error ? error
                      : posix_spawn(process, "/proc/self/exe", &actions, &attributes, arguments,
                                    environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}

static int start(struct child *child)
{
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) != 0) {
        return -errno;
    }
    if (pipe2(from, O_CLOEXEC) != 0) {
        int error = -errno;
        close(to[READS]);
        close(to[WRITES]);
        return error;
    }
    int error = spawn(to[READS], from[WRITES], &child->process);
    close(to[READS]);
    close(from[WRITES]);
    child->question = to[WRITES];
    child->answer = from[READS];
    if (error) {
        close(child->question);
        close(child->answer);
    }
    return error;
}

/* Less than a pipe holds, so that it never blocks. */
static bool ask(const struct child *child, const char *service,
                const struct store_question *question)
{
    char bytes[PAM_QUESTION_MAX];
    const char *const words[] = {service, question->name_text, question->password};
    size_t len = 0;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t word = strlen(words[i]) + 1;
        if (word > sizeof bytes - len) {
            return false;
        }
        memcpy(bytes + len, words[i], word);
        len += word;
    }
    bool good = write(child->question, bytes, len) == (ssize_t)len;
    explicit_bzero(bytes, sizeof bytes);
    return good;
}

static enum store_answer hear(const struct child *child, const struct store_question *question)
{
    char bytes[256];
    ssize_t got =
        store_wait(question, child->answer, POLLIN) ? read(child->answer, bytes, sizeof bytes) : 0;
    switch (got > 0 ? bytes[0] : 0) {
    case PAM_VERDICT_RIGHT:
        return STORE_RIGHT;
    case PAM_VERDICT_NO: /* many a stack of modules does not say whether the name was */
        return STORE_UNKNOWN;
    case PAM_VERDICT_DOWN:
        return store_down(question, "%.*s", (int)got - 1, bytes + 1);
    default:
        return store_down(question, "its modules gave no answer in time, or crashed");
    }
}

static enum store_answer check(struct store *store, const struct store_question *question)
{
    struct child child = {0};
    int error = start(&child);
    if (error) {
        return store_down(question, "%s", strerror(-error));
    }
    bool asked = ask(&child, store->config->place.ptr, question);
    close(child.question);
    enum store_answer answer =
        asked ? hear(&child, question) : store_down(question, "the name is too long for PAM");
    close(child.answer);
    kill(-child.process,
         SIGKILL); /* and what its modules have started, but in sessions of its own */
    while (waitpid(child.process, NULL, 0) < 0 && errno == EINTR) {}
    return answer;
}

/* Without a file of its own PAM would use that of `other`, which denies all, or does not. */
static enum store_answer reach(struct store *store, const struct store_question *question)
{
    static const char *const folders[] = {"/etc/pam.d/", "/usr/lib/pam.d/", ""};
    struct str service = store->config->place;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        struct buf path = {0};
        buf_add_format(&path, "%s%.*s", folders[i], STR_ARG(service));
        buf_add_char(&path, '\0');
        bool there = !path.failed && path.ptr[0] == '/' && access(path.ptr, R_OK) == 0;
        buf_done(&path);
        if (there) {
            return STORE_FOUND;
        }
    }
    return store_down(question, "there is no /etc/pam.d/%.*s", STR_ARG(service));
}

const struct store_kind pam_store = {.word = "pam", .check = check, .reach = reach};
