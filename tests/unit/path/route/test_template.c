#include "path/route/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *text;
    const char *domain, *local, *tag, *sender;
    const char *expected;
};

static void check(const struct row *row, bool argument)
{
    struct arena arena = {0};
    struct template_values values = {str_from_cstr(row->domain), str_from_cstr(row->local),
                                     str_from_cstr(row->tag), str_from_cstr(row->sender)};
    struct str text = str_from_cstr(row->text);
    struct str made =
        argument ? template_argument(text, &values, &arena) : template_path(text, &values, &arena);
    if (!str_eq(made, str_from_cstr(row->expected))) {
        fail_msg("%s: %.*s", row->text, STR_ARG(made));
    }
    arena_done(&arena);
}

static void a_strangers_address_stays_within_its_place_in_a_path(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"/m/{domain}/{local}/", "example.org", "ann", "", "", "/m/example.org/ann/"},
        {"/m/{user}", "d", "ann", "", "", "/m/ann"},
        {"/m/{local}", "d", "..", "", "", "/m/%2e."},
        {"/m/{local}", "d", ".", "", "", "/m/%2e"},
        {"/m/{local}", "d", "../../etc/passwd", "", "", "/m/%2e.%2f..%2fetc%2fpasswd"},
        {"/m/{local}", "d", "a.b", "", "", "/m/a.b"},
        {"/m/{local}", "d", "a%2fb", "", "", "/m/a%252fb"},
        {"/m/{local}", "d", "a\n\x7f", "", "", "/m/a%0a%7f"},
        {"/m/{local}/x", "d", "", "", "", "/m/%/x"},
        {"/m/{local}/.{tag}/", "d", "ann", "", "", "/m/ann/./"},
        {"/m/{local}/.{tag}/", "d", "ann", "lists", "", "/m/ann/.lists/"},
        {"/m/{local}/.{tag}/", "d", "ann", "./..", "", "/m/ann/.%2e%2f../"},
        {"/m/{sender}", "d", "ann", "", "", "/m/%"},
        {"/m/{domain", "d", "ann", "", "", "/m/{domain"},
        {"/m/}{local}", "d", "ann", "", "", "/m/}ann"},
        {"/m/{nothing}{local}", "d", "ann", "", "", "/m/{nothing}ann"},
        {"/m/{local}{local}", "d", "{tag}", "x", "", "/m/{tag}{tag}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check(&rows[i], false);
    }
}

/* Mail to "a.lock" would else stand where the dot-lock of the mbox of "a" does: "a" would wait for
 * it, and then take it away. */
static void no_address_names_the_lock_of_another_mailbox(void **state)
{
    (void)state;
    static const struct {
        const char *text, *local, *tag, *expected;
    } rows[] = {
        {"/m/{local}", "a.lock", "", "/m/a%2elock"},
        {"/m/{local}", "a.lock.lock", "", "/m/a.lock%2elock"},
        {"/m/{local}", ".lock", "", "/m/%2elock"},
        {"/m/{user}.{tag}", "a", "lock", "/m/a%2elock"},
        {"/m/{local}", "a.lockx", "", "/m/a.lockx"},
        {"/m/{local}", "lock", "", "/m/lock"},
        {"/m/{local}/mail", "a.lock", "", "/m/a.lock/mail"},
        {"/m/shared.lock", "a", "", "/m/shared.lock"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        struct template_values values = {STR("d"), str_from_cstr(rows[i].local),
                                         str_from_cstr(rows[i].tag), STR("")};
        struct str made = template_file(str_from_cstr(rows[i].text), &values, &arena);
        if (!str_eq(made, str_from_cstr(rows[i].expected))) {
            fail_msg("%s: %.*s", rows[i].text, STR_ARG(made));
        }
        arena_done(&arena);
    }
}

static void a_strangers_address_is_no_option_of_a_program(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{local}", "d", "-rf", "", "", "%2drf"},
        {"--user={local}", "d", "-rf", "", "", "--user=-rf"},
        {"{sender}", "d", "x", "", "-oX/tmp/x@example.org", "%2doX/tmp/x@example.org"},
        {"{sender}", "d", "x", "", "a/b@example.org", "a/b@example.org"},
        {"{sender}", "d", "x", "", "", ""},
        {"{tag}{local}", "d", "-x", "", "", "%2dx"},
        {"$(x);{local}", "d", "`y`", "", "", "$(x);`y`"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check(&rows[i], true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_strangers_address_stays_within_its_place_in_a_path),
        cmocka_unit_test(no_address_names_the_lock_of_another_mailbox),
        cmocka_unit_test(a_strangers_address_is_no_option_of_a_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
