/* user.c: `postrider user`: keeps the file of those who may log in. */
#include "cli/options.h"
#include "cli/serve_log.h"
#include "cli/user_limits.h"
#include "cli/verb.h"
#include "stores/stores.h"
#include "stores/user_file.h"

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
        "       postrider user list [-c FILE | -f USERS]\n"
        "       postrider user test NAME [-c FILE]\n"
        "       postrider user limits [NAME] [--limit N] [--json] [-c FILE]\n"
        "       postrider user reset NAME [-c FILE]\n\n"
        "Keeps the file of those who may log in to send mail (`users: {file: …}` in the\n"
        "configuration). The password is read from standard input, a line. Only a hash\n"
        "(yescrypt) and SCRAM's keys are kept. A running server sees the change at once.\n"
        "`test` asks all stores of the configuration, as the server does, and says which one\n"
        "knows the user by that password. `limits` asks the running server what users have sent\n"
        "of late, and may still send (`users: {limits: …}`); after `reset` a user has sent\n"
        "nothing.\n\n"
        "  -c, --config FILE  the configuration that names the file\n"
        "  -f, --file USERS   the file itself\n"
        "      --json         `limits`: as JSON\n"
        "      --limit N      `limits`: the N nearest to a limit; default 1000\n\n"
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

/* Of a terminal twice, where it is to be kept. */
static int read_password(char password[PASSWORD_BYTES], bool kept)
{
    char again[PASSWORD_BYTES] = "";
    int code = EX_OK;
    bool twice = kept && isatty(STDIN_FILENO);
    if (!ask("Password", password) || (twice && !ask("Again", again))) {
        (void)fprintf(stderr, "postrider: no password on standard input\n");
        code = EX_DATAERR;
    } else if (twice && strcmp(password, again) != 0) {
        (void)fprintf(stderr, "postrider: the two are not the same; nothing was changed\n");
        code = EX_DATAERR;
    }
    explicit_bzero(again, sizeof again);
    return code;
}

static int make_fields(struct buf *fields)
{
    char password[PASSWORD_BYTES] = "";
    int code = read_password(password, true);
    if (code == EX_OK) {
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
    int code = removes ? EX_OK : make_fields(&fields);
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
    (void)fprintf(stderr,
                  "postrider: user add|password|remove|test|reset NAME, or user list|limits\n");
    return EX_USAGE;
}

static int say(struct stores *stores, enum store_answer answer, size_t which, const char *name)
{
    struct str store = stores_name(stores, which);
    switch (answer) {
    case STORE_RIGHT:
        (void)printf("%s: the password is right, says %.*s\n", name, STR_ARG(store));
        return EX_OK;
    case STORE_DOWN:
        (void)printf("%s: %.*s gives no answer now\n", name, STR_ARG(store));
        return EX_TEMPFAIL;
    case STORE_WRONG:
    case STORE_FOUND:
    case STORE_UNKNOWN:
        break;
    }
    (void)printf("%s: no store knows such a user with this password\n", name);
    return EX_NOUSER;
}

static int test(const struct config *config, const char *name)
{
    char password[PASSWORD_BYTES] = "";
    struct log *log = serve_log_new(config); /* tells of a store's trouble */
    struct stores *stores = log ? stores_new(config, log) : NULL;
    int code = !stores ? EX_OSERR : read_password(password, false);
    if (code == EX_OK) {
        size_t which = 0;
        enum store_answer answer =
            stores_check(stores, str_from_cstr(name), str_from_cstr(password), &which);
        code = say(stores, answer, which, name);
    }
    explicit_bzero(password, sizeof password);
    stores_free(stores);
    log_free(log);
    return code;
}

static int act_by(const struct config *config, int argc, char **argv,
                  const struct user_limits_show *show)
{
    if (config->store_count == 0) {
        (void)fprintf(stderr, "postrider: the configuration names no place where users are "
                              "kept (`users: {file: …}`); -f names a file\n");
        return EX_CONFIG;
    }
    if (argc == 2 && strcmp(argv[0], "test") == 0) {
        return test(config, argv[1]);
    }
    if ((argc == 1 || argc == 2) && strcmp(argv[0], "limits") == 0) {
        return user_limits_show(config, argv[1], show);
    }
    if (argc == 2 && strcmp(argv[0], "reset") == 0) {
        return user_limits_reset(config, argv[1]);
    }
    if (config->users_file.len == 0) {
        (void)fprintf(stderr,
                      "postrider: users are kept in %.*s, and changed there; this verb "
                      "changes a file (`users: {file: …}`)\n",
                      STR_ARG(config->stores[0].name));
        return EX_CONFIG;
    }
    struct buf path = {0};
    buf_add(&path, config->users_file);
    buf_add_char(&path, '\0');
    int code = path.failed ? EX_OSERR : act(path.ptr, argc, argv);
    buf_done(&path);
    return code;
}

int verb_user(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"file", required_argument, NULL, 'f'},
        {"json", no_argument, NULL, 'j'},         {"limit", required_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},         {0}};
    const char *config_file = NULL, *file = NULL;
    struct user_limits_show show = {0};
    for (int c; (c = getopt_long(argc, argv, "c:f:h", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            config_file = optarg;
            break;
        case 'f':
            file = optarg;
            break;
        case 'j':
            show.json = true;
            break;
        case 'n':
            if (!options_count(optarg, &show.most)) {
                (void)fprintf(stderr, "postrider user: --limit wants a number from 1 up\n");
                return EX_USAGE;
            }
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
    int code = config ? act_by(config, argc - optind, argv + optind, &show) : EX_CONFIG;
    config_drop(config);
    options_done(&source);
    return code;
}
