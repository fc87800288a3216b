#include "login/question.h"

#include "core/base/scan.h"
#include "port/tls.h"

void login_question_format(struct buf *out, const struct login_question *question)
{
    buf_put_u8(out, (uint8_t)question->asked);
    buf_put_u32(out, question->id);
    if (question->asked == LOGIN_BEGIN) {
        buf_put_u8(out, (uint8_t)question->kind);
        buf_put_u64(out, question->network);
        buf_put_u8(out, question->encrypted);
        buf_put_str(out, question->exporter);
    }
    if (question->asked == LOGIN_BEGIN || question->asked == LOGIN_STEP) {
        buf_put_str(out, question->response);
    }
}

void login_answer_format(struct buf *out, const struct login_answer *answer)
{
    buf_put_u32(out, answer->id);
    buf_put_u8(out, (uint8_t)answer->result);
    buf_put_str(out, answer->challenge);
    buf_put_str(out, answer->user);
}

bool login_question_parse(struct str bytes, struct login_question *question)
{
    struct scan sc = {.rest = bytes};
    struct login_question q = {.asked = LOGIN_BEGIN};
    uint8_t asked = scan_get_u8(&sc), kind = 0, encrypted = 0;
    q.id = scan_get_u32(&sc);
    if (asked == LOGIN_BEGIN) {
        kind = scan_get_u8(&sc);
        q.network = scan_get_u64(&sc);
        encrypted = scan_get_u8(&sc);
        q.exporter = scan_get_str(&sc);
    }
    if (asked == LOGIN_BEGIN || asked == LOGIN_STEP) {
        q.response = scan_get_str(&sc);
    }
    if (!scan_done(&sc) || asked < LOGIN_BEGIN || asked > LOGIN_PING || kind >= SASL_KINDS ||
        encrypted > 1 || q.response.len > LOGIN_RESPONSE_MAX ||
        (q.exporter.len != 0 && q.exporter.len != TLS_EXPORTER_SIZE)) {
        return false;
    }
    q.asked = (enum login_asked)asked;
    q.kind = (enum sasl_kind)kind;
    q.encrypted = encrypted;
    *question = q;
    return true;
}

bool login_answer_parse(struct str bytes, struct login_answer *answer)
{
    struct scan sc = {.rest = bytes};
    struct login_answer a = {.id = scan_get_u32(&sc)};
    uint8_t result = scan_get_u8(&sc);
    a.challenge = scan_get_str(&sc);
    a.user = scan_get_str(&sc);
    if (!scan_done(&sc) || result > LOGIN_BLOCKED || a.challenge.len > LOGIN_RESPONSE_MAX ||
        a.user.len > LOGIN_RESPONSE_MAX || str_has_control(a.challenge)) {
        return false;
    }
    a.result = (enum login_result)result;
    *answer = a;
    return true;
}
