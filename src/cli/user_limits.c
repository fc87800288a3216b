#include "cli/user_limits.h"

#include "cli/print.h"
#include "control/client.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct asking {
    json_t *users;
    json_int_t changed;
    bool more;
    int code;
};

static void on_line(void *owner, const json_t *line)
{
    struct asking *a = owner;
    const json_t *done = json_object_get(line, "done");
    const char *refused = json_string_value(json_object_get(done, "refused"));
    json_t *user = json_object_get(line, "user");
    if (refused) {
        (void)fprintf(stderr, "postrider user: %s\n", refused);
        a->code = EX_USAGE;
    }
    if (user) {
        json_array_append(a->users, user);
    }
    a->changed += json_integer_value(json_object_get(done, "changed"));
    a->more = a->more || json_is_true(json_object_get(done, "more"));
}

/* Takes the question over. */
static int ask(const struct config *config, json_t *question, struct asking *a)
{
    struct control_ask asked = {
        .path = config->control_path, .question = question, .line = on_line, .owner = a};
    if (!question) {
        (void)fprintf(stderr, "postrider user: that is no name, which is UTF-8\n");
        return EX_USAGE;
    }
    int code = control_ask(&asked);
    return code != EX_OK ? code : a->code;
}

static void print_counts(const json_t *counts)
{
    const json_t *limit = json_object_get(counts, "limit");
    char text[64];
    if (json_is_null(limit)) {
        (void)snprintf(text, sizeof text, "no limit");
    } else {
        (void)snprintf(text, sizeof text, "%lld of %lld",
                       (long long)json_integer_value(json_object_get(counts, "used")),
                       (long long)json_integer_value(limit));
    }
    (void)printf("  %20s", text);
}

static void print_user(const json_t *user)
{
    const char *name = json_string_value(json_object_get(user, "name"));
    print_counts(json_object_get(user, "messages"));
    print_counts(json_object_get(user, "recipients"));
    (void)printf("  %12lld  ", (long long)json_integer_value(json_object_get(user, "size")));
    print_text(stdout, str_from_cstr(name), false);
    (void)printf("\n");
}

static void print_users(const struct asking *a)
{
    size_t i;
    json_t *user;
    if (json_array_size(a->users) == 0) {
        (void)printf("nobody who logs in has sent anything within the last hour\n");
        return;
    }
    (void)printf("  %20s  %20s  %12s  USER\n", "MESSAGES AN HOUR", "RECIPIENTS AN HOUR",
                 "OCTETS EACH");
    json_array_foreach(a->users, i, user)
    {
        print_user(user);
    }
    if (a->more) {
        (void)printf("and more users, who are further from their limits\n");
    }
}

int user_limits_show(const struct config *config, const char *name,
                     const struct user_limits_show *show)
{
    struct asking a = {.users = json_array()};
    json_t *question = json_pack("{s:s, s:s*}", "verb", "users", "user", name);
    if (show->most > 0) {
        json_object_set_new(question, "limit", json_integer(show->most));
    }
    int code = ask(config, question, &a);
    if (code == EX_OK && show->json) {
        json_t *all = json_pack("{s:b, s:O}", "more", a.more, "users", a.users);
        print_facts(all);
        json_decref(all);
    } else if (code == EX_OK) {
        print_users(&a);
    }
    json_decref(a.users);
    return code;
}

int user_limits_reset(const struct config *config, const char *name)
{
    struct asking a = {.users = json_array()};
    int code = ask(config, json_pack("{s:s, s:s}", "verb", "reset", "user", name), &a);
    if (code == EX_OK) {
        print_text(stdout, str_from_cstr(name), false);
        (void)printf("%s\n", a.changed > 0 ? ": nothing counts as sent any more"
                                           : ": nothing had counted as sent");
    }
    json_decref(a.users);
    return code;
}
