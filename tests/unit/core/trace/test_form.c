/* What software never writes. */
#include "judged.h"

#include "core/trace/id_form.h"

#define LINE(middle)                                                                               \
    JUDGED_TOP "Received: from pc (pc.elm.example [22.90.12.7]) by mail.alder.example " middle     \
               ";\n\tTue,  3 Mar 2020 09:15:28 +0000\n\n"

static void ids_of_another_make_are_seen(void **state)
{
    (void)state;
    static const struct judged_row rows[] = {
        {"Postfix", LINE("(Postfix) with ESMTP id 3A2B61C0D3"), 1, "id-form", false},
        {"Postfix, long", LINE("(Postfix) with ESMTP id 48Wrvh1nJ4z9sPF"), 1, "id-form", false},
        {"small letters", LINE("(Postfix) with ESMTP id 3a2b61c0d3"), 1, "id-form", true},
        {"a second of over a million parts", LINE("(Postfix) with ESMTP id FFFFF1C0D3"), 1,
         "id-form", true},
        {"Exim's at Postfix", LINE("(Postfix) with ESMTP id 1j93eC-0004OR-WF"), 1, "id-form", true},
        {"Exim", LINE("with esmtp (Exim 4.96) id 1j93eC-0004OR-WF"), 1, "id-form", false},
        {"Exim since 4.97", LINE("with esmtp (Exim 4.98) id 1j93eC-00000000Abc-1aBc"), 1, "id-form",
         false},
        {"Postfix' at Exim", LINE("with esmtp (Exim 4.96) id 3A2B61C0D3"), 1, "id-form", true},
        {"too short", LINE("with esmtp (Exim 4.96) id 1j93eC-0004O-WF"), 1, "id-form", true},
        {"sendmail", LINE("(8.15.2/8.15.2) with ESMTP id 0239FSxc018014"), 1, "id-form", false},
        {"sendmail of old", LINE("(8.9.3/8.9.3) with ESMTP id KAA12345"), 1, "id-form", false},
        {"Proofpoint", LINE("(8.17.1.19/8.17.1.19) with ESMTPS id 3q1a2b3c4d-1"), 1, "id-form",
         false},
        {"Exim's at sendmail", LINE("(8.15.2/8.15.2) with ESMTP id 1j93eC-0004OR-WF"), 1, "id-form",
         true},
        {"OpenSMTPD", LINE("(OpenSMTPD) with ESMTP id 0a1b2c3d"), 1, "id-form", false},
        {"capitals", LINE("(OpenSMTPD) with ESMTP id 0A1B2C3D"), 1, "id-form", true},
        {"Postrider", LINE("(Postrider) with ESMTP id 0cr8zyhrtp4r1"), 1, "id-form", false},
        {"letters it leaves out", LINE("(Postrider) with ESMTP id 0cr8zyhrtp4l1"), 1, "id-form",
         true},
        {"Haraka", LINE("(Haraka/2.8.28) with ESMTPS id 01234567-89AB-4CDE-8F01-23456789ABCD.1"), 1,
         "id-form", false},
        {"no UUID", LINE("(Haraka/2.8.28) with ESMTPS id 0123456789AB"), 1, "id-form", true},
        {"Exchange", LINE("with Microsoft SMTP Server id 15.1.2106.2"), 1, "id-form", false},
        {"no version", LINE("with Microsoft SMTP Server id 3A2B61C0D3"), 1, "id-form", true},
        {"Domino", LINE("(IBM Domino Release 9.0.1) with ESMTP id 2020030309152812-34567"), 1,
         "id-form", false},
        {"no time", LINE("(IBM Domino Release 9.0.1) with ESMTP id 3A2B61C0D3"), 1, "id-form",
         true},
        {"CommuniGate", LINE("(CommuniGate Pro SMTP 6.1.20) with ESMTP id 123456"), 1, "id-form",
         false},
        {"letters", LINE("(CommuniGate Pro SMTP 6.1.20) with ESMTP id 3A2B61"), 1, "id-form", true},
        {"who knows", LINE("with ESMTP id what-ever_1"), 1, "id-form", false},
    };
    judged_rows(rows, ARRAY_LEN(rows));
}

static void protocols_clauses_and_dates_of_another_make_are_seen(void **state)
{
    (void)state;
    static const struct judged_row rows[] = {
        {"Postfix", LINE("(Postfix) with ESMTPSA id 3A2B61C0D3"), 1, "with-form", false},
        {"small letters", LINE("(Postfix) with esmtp id 3A2B61C0D3"), 1, "with-form", true},
        {"HTTP at Postfix", LINE("(Postfix) with HTTPREST id 3A2B61C0D3"), 1, "with-form", true},
        {"Exim", LINE("with esmtps (Exim 4.96) id 1j93eC-0004OR-WF"), 1, "with-form", false},
        {"a word of its administrator's", LINE("with spam-scanned (Exim 4.96) id 1j93eC-0004OR-WF"),
         1, "with-form", false},
        {"capitals at Exim", LINE("with ESMTPS (Exim 4.96) id 1j93eC-0004OR-WF"), 1, "with-form",
         true},
        {"in order", LINE("(Postfix) with ESMTP id 3A2B61C0D3 for <a@b.example>"), 1,
         "clause-order", false},
        {"recipient first", LINE("(Postfix) for <a@b.example> with ESMTP id 3A2B61C0D3"), 1,
         "clause-order", true},
        {"words of a comment", LINE("(Postfix) (for id by) with ESMTP id 3A2B61C0D3"), 1,
         "clause-order", false},
        {"a day's name", LINE("(Postfix) with ESMTP id 3A2B61C0D3"), 1, "date-form", false},
        {"no day's name at Postfix",
         JUDGED_TOP "Received: from pc (pc.elm.example [22.90.12.7]) by mail.alder.example "
                    "(Postfix) with ESMTP id 3A2B61C0D3; 3 Mar 2020 09:15:28 +0000\n\n",
         1, "date-form", true},
        {"no day's name at qmail",
         JUDGED_TOP "Received: from pc.elm.example (HELO pc) (22.90.12.7) by mail.alder.example\n"
                    " with SMTP; 3 Mar 2020 09:15:28 -0000\n\n",
         1, "date-form", false},
        {"registered", LINE("with UTF8SMTPSA"), 1, "with-registered", false},
        {"known", LINE("with local-esmtp"), 1, "with-registered", false},
        {"made up", LINE("with MAGIC"), 1, "with-registered", true},
        {"no host", JUDGED_TOP "Received: yesterday\n\n", 1, "unreadable", true},
        {"qmail's own",
         JUDGED_TOP "Received: (qmail 1 invoked from network); 1 Jan 2001 00:00:01 "
                    "-0000\n\n",
         1, "unreadable", false},
    };
    judged_rows(rows, ARRAY_LEN(rows));
}

/* Fields that real servers write, as far as this is known, break no rule of form. */
static void no_form_that_servers_write_is_foreign(void **state)
{
    (void)state;
    static char text[1 << 17];
    FILE *file = fopen(SOURCE_DIR "/tests/data/received/forms.txt", "rb");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file), seen = 0;
    (void)fclose(file);
    struct str rest = str_from(text, len), field = {0};
    while (rest.len > 0) {
        struct str line = str_split(&rest, '\n');
        if (str_starts(line, STR("# Forms by which the reader was tried"))) {
            break; /* ids are made up from here on */
        }
        bool data = line.len > 0 && !str_starts(line, STR("= ")) && line.ptr[0] != '#';
        if (data) {
            const char *start = field.len > 0 ? field.ptr : line.ptr;
            field = str_from(start, (size_t)(line.ptr + line.len - start));
        } else if (field.len > 0) {
            struct received r;
            received_parse(field, &r);
            enum id_form form = id_form_of(&r, field);
            if (form == ID_FOREIGN) {
                print_error("%.*s: %.*s\n", STR_ARG(r.software.name), STR_ARG(field));
            }
            assert_true(form != ID_FOREIGN);
            seen += form == ID_FITS;
            field = (struct str){0};
        }
    }
    assert_true(seen > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_of_another_make_are_seen),
        cmocka_unit_test(protocols_clauses_and_dates_of_another_make_are_seen),
        cmocka_unit_test(no_form_that_servers_write_is_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
