/* Property: bytes that are taken as a question to the login process, or as its answer, are written
 * back as the same bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "login/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(const struct buf *written, struct str bytes, const char *what)
{
    if (written->failed || !str_eq(buf_str(written), bytes)) {
        (void)fprintf(stderr, "broken: %s is not written back as it was read\n", what);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = str_from((const char *)data, size);
    struct login_question question;
    struct login_answer answer;
    struct buf out = {0};
    if (login_question_parse(bytes, &question)) {
        login_question_format(&out, &question);
        expect(&out, bytes, "a question");
    }
    buf_clear(&out);
    if (login_answer_parse(bytes, &answer)) {
        login_answer_format(&out, &answer);
        expect(&out, bytes, "an answer");
    }
    buf_done(&out);
    return 0;
}
