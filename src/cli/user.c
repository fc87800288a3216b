/* user.c: `postrider user`: keeps the file of those who may log in. */
#include "cli/options.h"
#include "cli/verb.h"
#include "login/user_file.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_BYTES = 1024 };

static void print_help(void)
{
    (void)printf(
        "usage: postrider user add|password|remove NAME [-c FILE | -f USERS]\n"
        "       postrider user list [-c FILE | -f USERS]\n\n"
        "Keeps the file of those who may log in to send mail (`users: {file: …}` in the\n"
        "configuration). The password is read from standard input, a line. Only a hash\n"
        "(yescrypt) and SCRAM's keys are kept. A running server sees the change at once.\n\n"
        "  -c, --config FILE  the configuration that names the file\n"
        "  -f, --file USERS   the file itself\n\n"
        "example: postrider user add anna@example.org < password.txt\n");
}

static bool ask(const char *prompt, char password[PASSWORD_BYTES])
{
    struct termios shown, hidden;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &shown) == 0;
    if (terminal) {
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
        (void)fprintf(stderr, "%s: ", prompt);
    }
    bool got = fgets(password, PASSWORD_BYTES, stdin) != NULL;
    if (terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        (void)fprintf(stderr, "\n");
    }
    if (got) {
        password[strcspn(password, "\r\n")] = '\0';
    }
    return got;
}

static int read_password(struct buf *fields)
{
    char password[PASSWORD_BYTES] = "", again[PASSWORD_BYTES] = "";
    int code = EX_DATAERR;
    bool terminal = isatty(STDIN_FILENO);
    if (!ask("Password", password) || (terminal && !ask("Again", again))) {
        (void)fprintf(stderr, "postrider: no password on standard input\n");
    } else if (terminal && strcmp(password, again) != 0) {
        (void)fprintf(stderr, "postrider: the two are not the same; nothing was changed\n");
    } else {
        int error = verifier_make(fields, str_from_cstr(password));
        code = error == 0 ? EX_OK : error == -EINVAL ? EX_DATAERR : EX_OSERR;
        if (error == -EINVAL) {
            (void)fprintf(stderr, "postrider: the password is empty, too long, or has characters "
                                  "that no password may have\n");
        } else if (error != 0) {
            (void)fprintf(stderr, "postrider: cannot hash: %s\n", strerror(-error));
        }
    }
    explicit_bzero(password, sizeof password);
    explicit_bzero(again, sizeof again);
    return code;
}

static int report(int error, const char *path, const char *name)
{
    switch (-error) {
    case 0:
        return EX_OK;
    case EEXIST:
        (void)fprintf(stderr, "postrider: %s is there already; `user password` changes it\n", name);
        return EX_DATAERR;
    case ENOENT:
        (void)fprintf(stderr, "postrider: there is no user %s in %s\n", name, path);
        return EX_NOUSER;
    case EINVAL:
        (void)fprintf(stderr, "postrider: a name has 1 to 255 octets, no blanks, and no # first\n");
        return EX_USAGE;
    default:
        (void)fprintf(stderr, "postrider: %s: %s\n", path, strerror(-error));
        return error == -EACCES || error == -EPERM ? EX_NOPERM : EX_CANTCREAT;
    }
}

static void print_name(struct str name, void *owner)
{
    (void)owner;
    (void)printf("%.*s\n", STR_ARG(name));
}

static int change(const char *path, const char *what, const char *name)
{
    struct buf fields = {0};
    bool removes = strcmp(what, "remove") == 0;
    bool adds = strcmp(what, "add") == 0;
    int code = removes ? EX_OK : read_password(&fields);
    if (code == EX_OK) {
        enum user_change kind = adds ? USER_ADD : removes ? USER_REMOVE : USER_REPLACE;
        code =
            report(user_file_change(path, kind, str_from_cstr(name), buf_str(&fields)), path, name);
    }
    buf_done(&fields);
    return code;
}

static int act(const char *path, int argc, char **argv)
{
    static const char *const changes[] = {"add", "password", "remove"};
    if (argc == 1 && strcmp(argv[0], "list") == 0) {
        return report(user_file_each(path, print_name, NULL), path, "");
    }
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        if (argc == 2 && strcmp(argv[0], changes[i]) == 0) {
            return change(path, argv[0], argv[1]);
        }
    }
    (void)fprintf(stderr, "postrider: user add|password|remove NAME, or user list\n");
    return EX_USAGE;
}

int verb_user(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"file", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *config_file = NULL, *file = NULL;
    for (int c; (c = getopt_long(argc, argv, "c:f:h", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            config_file = optarg;
            break;
        case 'f':
            file = optarg;
            break;
        case 'h':
            print_help();
            return EX_OK;
        default:
            return EX_USAGE;
        }
    }
    if (file) {
        return act(file, argc - optind, argv + optind);
    }
    struct options_config source;
    struct config *config = options_config(&source, config_file);
    int code = EX_CONFIG;
    if (config && config->users_file.len == 0) {
        (void)fprintf(stderr, "postrider: the configuration names no file of users "
                              "(`users: {file: …}`); -f names one\n");
    } else if (config) {
        struct buf path = {0};
        buf_add(&path, config->users_file);
        buf_add_char(&path, '\0');
        code = path.failed ? EX_OSERR : act(path.ptr, argc - optind, argv + optind);
        buf_done(&path);
    }
    config_drop(config);
    options_done(&source);
    return code;
}
