#include "path/deliver/pipe.h"

#include "local_world.h"

#define BODY "Subject: x\r\n\r\nbody\r\n"
#define GIVEN TOP "Subject: x\n\nbody\n"

static void pipe_begin(struct world *w, struct str body)
{
    static struct str argv[] = {STR_INIT("/bin/sorter"), STR_INIT("-f"), STR_INIT("a b;$(c)")};
    world_begin(w, HOP_PIPE, "", body);
    w->hop.argv = argv;
    w->hop.argc = ARRAY_LEN(argv);
}

static void exit_codes_are_taken_as_sysexits_says(void **state)
{
    (void)state;
    static const struct {
        int exit_status;
        enum outcome_kind kind;
        struct status_code status;
    } rows[] = {
        {0, OUTCOME_DELIVERED, {2, 0, 0}},  {1, OUTCOME_FAILED, {5, 3, 0}},
        {63, OUTCOME_FAILED, {5, 3, 0}},    {64, OUTCOME_FAILED, {5, 3, 0}},
        {67, OUTCOME_FAILED, {5, 1, 1}},    {68, OUTCOME_FAILED, {5, 1, 2}},
        {71, OUTCOME_DEFERRED, {4, 3, 0}},  {75, OUTCOME_DEFERRED, {4, 3, 0}},
        {77, OUTCOME_FAILED, {5, 7, 0}},    {78, OUTCOME_FAILED, {5, 3, 5}},
        {79, OUTCOME_FAILED, {5, 3, 0}},    {126, OUTCOME_DEFERRED, {4, 3, 5}},
        {127, OUTCOME_DEFERRED, {4, 3, 5}}, {255, OUTCOME_FAILED, {5, 3, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world w;
        pipe_begin(&w, STR(BODY));
        w.script.exit_status = rows[i].exit_status;
        w.script.says = "what it says";
        world_deliver(&w);
        assert_outcome(&w, rows[i].kind, rows[i].status.class, rows[i].status.subject,
                       rows[i].status.detail, "what it says");
        assert_outcome(&w, rows[i].kind, rows[i].status.class, rows[i].status.subject,
                       rows[i].status.detail, "the program /bin/sorter ");
        world_end(&w);
    }
}

static void the_program_gets_the_message_its_arguments_and_a_small_environment(void **state)
{
    (void)state;
    struct world w;
    pipe_begin(&w, STR(BODY));
    w.rcpt.address = STR("A+t`g@b.example");
    world_deliver(&w);
    assert_text(buf_str(&w.script.argv), "/bin/sorter\n-f\na b;$(c)\n");
    assert_text(buf_str(&w.script.input),
                "Return-Path: <s@y.example>\nDelivered-To: a@b.example\n"
                "X-Original-To: A+t`g@b.example\nReceived: here\nSubject: x\n\nbody\n");
    assert_true(w.script.ended);
    struct queue_id_text id = queue_id_text(w.envelope.id);
    char want[400];
    snprintf(want, sizeof want,
             "PATH=/usr/local/bin:/usr/bin:/bin\nSENDER=s@y.example\nRECIPIENT=a@b.example\n"
             "ORIGINAL_RECIPIENT=A+t`g@b.example\nLOCAL=a\nDOMAIN=b.example\nEXTENSION=t`g\n"
             "MESSAGE_ID=%s\n",
             id.chars);
    assert_text(buf_str(&w.script.environment), want);
    world_end(&w);
}

static void quotes_are_no_part_of_a_name(void **state)
{
    (void)state;
    struct world w;
    pipe_begin(&w, STR(BODY));
    w.rcpt.address = w.rcpt.final_mailbox = STR("\"a b\\\"c\"@b.example");
    w.job.sender = STR("");
    world_deliver(&w);
    struct str environment = buf_str(&w.script.environment);
    assert_true(str_find_str(environment, STR("\nLOCAL=a b\"c\n")) != STR_NONE);
    assert_true(str_find_str(environment, STR("\nSENDER=\n")) != STR_NONE);
    assert_true(str_find_str(environment, STR("\nEXTENSION=\n")) != STR_NONE);
    world_end(&w);
}

static void one_that_reads_only_a_part_is_judged_by_its_exit_code(void **state)
{
    (void)state;
    struct world w;
    size_t size = 400000;
    char *body = malloc(size);
    memset(body, 'x', size);
    pipe_begin(&w, str_from(body, size));
    w.script.reads = 10;
    world_deliver(&w);
    assert_outcome(&w, OUTCOME_DELIVERED, 2, 0, 0, "took the message");
    assert_true(w.script.input.len < size);
    world_end(&w);
    free(body);
}

static void one_that_hangs_is_ended_after_its_time_and_tried_later(void **state)
{
    (void)state;
    struct world w;
    pipe_begin(&w, STR(BODY));
    w.script.hangs = true;
    int64_t began = w.now;
    world_deliver(&w);
    assert_outcome(&w, OUTCOME_DEFERRED, 4, 4, 7, "took longer than 300 seconds and was ended");
    assert_in_range(w.now - began, SPAN_MIN(5).us, SPAN_MIN(5).us + SPAN_S(1).us);
    world_end(&w);
}

static void one_that_is_killed_is_tried_later(void **state)
{
    (void)state;
    struct world w;
    pipe_begin(&w, STR(BODY));
    w.script.signal = 11;
    world_deliver(&w);
    assert_outcome(&w, OUTCOME_DEFERRED, 4, 3, 0, "was ended by signal 11");
    world_end(&w);
}

static void one_that_cannot_be_started_is_told_and_tried_later(void **state)
{
    (void)state;
    static const struct {
        int error;
        const char *text;
    } rows[] = {{-ENOENT, "there is no such file"},
                {-EACCES, "must be executable"},
                {-EMFILE, "system error (24)"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world w;
        pipe_begin(&w, STR(BODY));
        w.script.error = rows[i].error;
        world_deliver(&w);
        assert_outcome(&w, OUTCOME_DEFERRED, 4, 3, 5, rows[i].text);
        world_end(&w);
    }
}

static void no_program_is_looked_for_in_a_path(void **state)
{
    (void)state;
    static struct str relative[] = {STR_INIT("sorter")};
    for (size_t argc = 0; argc < 2; argc++) {
        struct world w;
        world_begin(&w, HOP_PIPE, "", STR(BODY));
        w.hop.argv = relative;
        w.hop.argc = argc;
        world_deliver(&w);
        assert_outcome(&w, OUTCOME_DEFERRED, 4, 3, 5, "not configured by its full path");
        assert_int_equal(w.script.runs, 0);
        world_end(&w);
    }
}

/* A program that saw an end of its input would keep half a message as if it were whole. */
static void a_message_that_cannot_be_read_is_never_ended_for_the_program(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct world w;
        size_t size = 200000;
        char *body = malloc(size);
        memset(body, 'x', size);
        pipe_begin(&w, str_from(body, size));
        w.disk.fail_at = n;
        w.disk.fail_error = -EIO;
        world_deliver(&w);
        bool reached = w.disk.calls >= n;
        assert_int_equal(w.script.ended, !reached);
        assert_int_equal(world_delivered(&w), !reached);
        if (reached) {
            assert_outcome(&w, OUTCOME_DEFERRED, 4, 3, 0, "could not be read from the spool");
        } else {
            assert_int_equal(w.script.input.len, strlen(TOP) + size);
        }
        world_end(&w);
        free(body);
        if (!reached) {
            assert_true(n > 2);
            break;
        }
    }
}

static void output_is_one_line_whatever_it_holds(void **state)
{
    (void)state;
    static const struct {
        struct str output;
        const char *text;
    } rows[] = {
        {STR_INIT(""), ""},
        {STR_INIT("\r\n\t"), ""},
        {STR_INIT("a"), "a"},
        {STR_INIT(" a\r\n\r\nb\0c \x1b[31m\n"), "a b c [31m"},
        {STR_INIT("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        pipe_clean_output(&out, rows[i].output);
        assert_text(buf_str(&out), rows[i].text);
        buf_done(&out);
    }
}

static void system_begin(struct world *w, const char *answer)
{
    static struct str order[] = {STR_INIT("system"), STR_INIT("ann")};
    pipe_begin(w, STR(BODY));
    w->hop = (struct next_hop){.kind = HOP_SYSTEM, .argv = order, .argc = 2};
    w->script.says = answer;
}

static void the_postman_gets_the_user_and_the_message_with_its_id_behind(void **state)
{
    (void)state;
    struct world w;
    system_begin(&w, "kept");
    world_deliver(&w);
    assert_outcome(&w, OUTCOME_DELIVERED, 2, 0, 0, "the postman of ann took the message: kept");
    assert_text(buf_str(&w.script.argv), "system\nann\n");
    struct queue_id_text id = queue_id_text(w.envelope.id);
    assert_true(str_starts(buf_str(&w.script.input), STR(TOP)));
    assert_true(str_ends(buf_str(&w.script.input), queue_id_str(&id)));
    world_end(&w);
}

static void what_a_user_forwards_is_an_expansion(void **state)
{
    (void)state;
    struct world w;
    system_begin(&w, "> bob@b.example\n> \"c d\"@e.example\n");
    world_deliver(&w);
    const struct outcome *o = &w.rcpt.outcome;
    assert_outcome(&w, OUTCOME_EXPANDED, 2, 0, 0, ".forward");
    assert_int_equal(o->child_count, 2);
    assert_text(o->children[0].address, "bob@b.example");
    assert_text(o->children[1].address, "\"c d\"@e.example");
    world_end(&w);
}

static void nothing_else_that_the_postman_says_becomes_an_address(void **state)
{
    (void)state;
    static const char *const rows[] = {"> ",
                                       "> bob@b.example",
                                       "> bob@b.example\nx\n",
                                       "> \\/etc/passwd\n",
                                       "> |cat\n",
                                       "> a@b c@d\n",
                                       "> \n"};
    for (size_t i = 0; i <= ARRAY_LEN(rows); i++) {
        struct buf many = {0};
        for (size_t j = 0; j < 101; j++) {
            buf_add(&many, STR("> bob@b.example\n"));
        }
        buf_add_char(&many, '\0');
        struct world w;
        system_begin(&w, i < ARRAY_LEN(rows) ? rows[i] : many.ptr);
        world_deliver(&w);
        assert_outcome(&w, OUTCOME_DEFERRED, 4, 3, 0, "could not be understood");
        assert_int_equal(w.rcpt.outcome.child_count, 0);
        world_end(&w);
        buf_done(&many);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_postman_gets_the_user_and_the_message_with_its_id_behind),
        cmocka_unit_test(what_a_user_forwards_is_an_expansion),
        cmocka_unit_test(nothing_else_that_the_postman_says_becomes_an_address),
        cmocka_unit_test(exit_codes_are_taken_as_sysexits_says),
        cmocka_unit_test(the_program_gets_the_message_its_arguments_and_a_small_environment),
        cmocka_unit_test(quotes_are_no_part_of_a_name),
        cmocka_unit_test(one_that_reads_only_a_part_is_judged_by_its_exit_code),
        cmocka_unit_test(one_that_hangs_is_ended_after_its_time_and_tried_later),
        cmocka_unit_test(one_that_is_killed_is_tried_later),
        cmocka_unit_test(one_that_cannot_be_started_is_told_and_tried_later),
        cmocka_unit_test(no_program_is_looked_for_in_a_path),
        cmocka_unit_test(a_message_that_cannot_be_read_is_never_ended_for_the_program),
        cmocka_unit_test(output_is_one_line_whatever_it_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
