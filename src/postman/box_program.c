#include "postman/box.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum { VARIABLES = 16 };

extern char **environ;

/* What the worker says of the message, and what the user is. False: no memory. */
static bool make_environment(const struct person *person, struct arena *arena,
                             const char *variables[VARIABLES])
{
    const struct {
        const char *name;
        struct str value;
    } own[] = {
        {"HOME", person->home},
        {"LOGNAME", person->name},
        {"USER", person->name},
        {"SHELL", STR("/bin/sh")},
    };
    size_t count = 0;
    for (; count < ARRAY_LEN(own); count++) {
        variables[count] =
            arena_format(arena, "%s=%.*s", own[count].name, STR_ARG(own[count].value)).ptr;
        if (!variables[count]) {
            return false;
        }
    }
    for (char **at = environ; *at && count < VARIABLES - 1; at++) {
        variables[count++] = *at;
    }
    variables[count] = NULL;
    return true;
}

static _Noreturn void execute(const struct letter *letter, const char *command, bool loud,
                              const char *const *variables)
{
    const struct rlimit none = {0};
    const char *words[] = {"sh", "-c", command, NULL};
    int silent = loud ? STDOUT_FILENO : open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (lseek(letter->file, 0, SEEK_SET) == 0 && dup2(letter->file, STDIN_FILENO) >= 0 &&
        dup2(silent, STDOUT_FILENO) >= 0 && dup2(silent, STDERR_FILENO) >= 0 &&
        setrlimit(RLIMIT_CORE, &none) == 0) {
        execve("/bin/sh", (char *const *)(uintptr_t)words, (char *const *)(uintptr_t)variables);
    }
    _exit(EX_OSERR);
}

int box_program(const struct letter *letter, const struct person *person, struct str command,
                bool loud)
{
    struct arena arena = {0};
    const char *variables[VARIABLES];
    struct str text = arena_copy(&arena, command);
    bool fine = text.ptr && make_environment(person, &arena, variables);
    pid_t process = fine ? fork() : -1;
    int status = 0;
    if (process == 0) {
        execute(letter, text.ptr, loud, variables);
    }
    while (process > 0 && waitpid(process, &status, 0) < 0 && errno == EINTR) {}
    arena_done(&arena);
    if (process < 0) {
        return EX_OSERR;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EX_TEMPFAIL;
}
