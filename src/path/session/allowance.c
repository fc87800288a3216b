#include "path/session/allowance.h"

#include "path/session/session_inside.h"

static const char *const kinds[ALLOWANCE_KINDS] = {
    [ALLOWANCE_MESSAGES] = "messages",
    [ALLOWANCE_RECIPIENTS] = "recipients",
};

static int64_t seconds_up(struct span wait)
{
    return span_seconds((struct span){wait.us + 999999});
}

static struct str text_of(struct session *s, uint32_t limit, const struct allowance_answer *answer)
{
    enum { SECONDS_MOST = 90 };
    int64_t seconds = seconds_up(answer->wait);
    bool soon = seconds <= SECONDS_MOST;
    int number = (int)(soon ? seconds : (seconds + 59) / 60);
    return arena_format(&s->mail->arena,
                        "Your limit of %lu %s an hour is reached; try again in %d %s%s",
                        (unsigned long)limit, kinds[answer->kind], number,
                        soon ? "second" : "minute", number == 1 ? "" : "s");
}

static void log_limit(const struct session *s, uint32_t limit,
                      const struct allowance_answer *answer)
{
    struct queue_id_text id = queue_id_text(s->mail->envelope.id);
    log_event(s->office->ports->log, LOG_WARNING, "user-limit", F_STR("id", queue_id_str(&id)),
              F_STR("user", s->client.user), F_IP("client", s->client.ip),
              F_STR("kind", str_from_cstr(kinds[answer->kind])), F_INT("limit", limit),
              F_INT("retry_s", seconds_up(answer->wait)));
}

bool allowance_grants(struct session *s, struct allowance amount, struct smtp_reply *refusal)
{
    struct allowances *all = s->office->ports->allowances;
    const struct config_user_limits *limits = config_find_user_limits(s->config, s->client.user);
    struct allowance_ask ask = {
        .user = s->client.user, .limits = limits->an_hour, .amount = amount};
    if (!all || s->client.user.len == 0) {
        return true;
    }
    struct allowance_answer answer = all->reserve(all, &ask);
    if (answer.verdict == ALLOWANCE_GRANTED) {
        for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
            s->mail->reserved.of[i] += amount.of[i];
        }
        return true;
    }
    *refusal = *smtp_answer(ANSWER_NO_MEMORY);
    if (answer.verdict == ALLOWANCE_USED_UP) {
        uint32_t limit = ask.limits.of[answer.kind];
        struct str text = text_of(s, limit, &answer);
        refusal->code = 450;
        refusal->status = (struct status_code){4, 7, 1};
        refusal->text = text.ptr ? text : STR("A limit is reached; try again later");
        if (answer.news) {
            log_limit(s, limit, &answer);
        }
    }
    return false;
}

void allowance_settle_mail(struct session *s, struct allowance taken)
{
    static const struct allowance nothing = {0};
    struct allowances *all = s->office->ports->allowances;
    struct allowance *reserved = &s->mail->reserved;
    if (all && reserved->of[ALLOWANCE_MESSAGES] > 0) {
        all->settle(all, s->client.user, *reserved, taken);
    }
    *reserved = nothing;
}
