// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "runner/permitted.h"

static struct str sorter[] = {STR_INIT("/usr/bin/sorter"), STR_INIT("-u"), STR_INIT("box={user}!"),
                              STR_INIT("{tag}")};
static struct alias_target target = {ALIAS_PIPE, STR_INIT("| /opt/list  --name x")};
static struct alias alias = {STR_INIT("list"), &target, 1};
static struct config_domain domain = {
    .mailboxes = {.kind = MAILBOX_PIPE, .argv = sorter, .argc = 4},
    .aliases = &alias,
    .alias_count = 1};
static struct config config = {.domains = &domain, .domain_count = 1};

static void test_only_what_the_configuration_names_is_run(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool permitted;
        const char *argv[5];
        const char *variable;
    } rows[] = {
        {"by the template", true, {"/usr/bin/sorter", "-u", "box=anna!", "x"}, "LOCAL=anna"},
        {"an empty tag", true, {"/usr/bin/sorter", "-u", "box=a!", ""}, NULL},
        {"another program", false, {"/bin/sh", "-u", "box=anna!", "x"}, NULL},
        {"another option", false, {"/usr/bin/sorter", "-x", "box=anna!", "x"}, NULL},
        {"a shorter argument than its ends", false, {"/usr/bin/sorter", "-u", "box=", "x"}, NULL},
        {"another end", false, {"/usr/bin/sorter", "-u", "box=anna", "x"}, NULL},
        {"an address as an option", false, {"/usr/bin/sorter", "-u", "box=a!", "-x"}, NULL},
        {"one argument less", false, {"/usr/bin/sorter", "-u", "box=anna!"}, NULL},
        {"a library to load", false, {"/usr/bin/sorter", "-u", "box=a!", "x"}, "LD_PRELOAD=/x"},
        {"another path", false, {"/usr/bin/sorter", "-u", "box=a!", "x"}, "PATH=/tmp"},
        {"the usual path",
         true,
         {"/usr/bin/sorter", "-u", "box=a!", "x"},
         "PATH=/usr/local/bin:/usr/bin:/bin"},
        {"of an alias", true, {"/opt/list", "--name", "x"}, "SENDER=a@b"},
        {"of an alias, with more", false, {"/opt/list", "--name", "x", "y"}, NULL},
        {"of an alias, otherwise", false, {"/opt/list", "--name", "y"}, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct order order = {0};
        while (rows[i].argv[order.argc]) {
            order.argv[order.argc] = rows[i].argv[order.argc];
            order.argc++;
        }
        if (rows[i].variable) {
            order.environment[order.environment_count++] = rows[i].variable;
        }
        if (program_is_permitted(&config, &order) != rows[i].permitted) {
            fail_msg("%s", rows[i].name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_the_configuration_names_is_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
