/* What is told about an attempt: to the sender in a report, to the operator in the log. */
#include "path/deliver/attempt.h"

static struct str awaited(enum client_phase phase)
{
    static const struct str words[] = {
        [PHASE_GREETING] = STR_INIT("waiting for its greeting"),
        [PHASE_HELO] = STR_INIT("waiting for the reply to EHLO"),
        [PHASE_STARTTLS] = STR_INIT("waiting for the reply to STARTTLS"),
        [PHASE_MAIL] = STR_INIT("waiting for the reply to MAIL"),
        [PHASE_RCPT] = STR_INIT("waiting for the reply to RCPT"),
        [PHASE_DATA_INIT] = STR_INIT("waiting for the reply to DATA"),
        [PHASE_DATA_BLOCK] = STR_INIT("sending the message"),
        [PHASE_DATA_DONE] = STR_INIT("waiting for the reply to the whole message, which it may "
                                     "have taken: a second copy is possible"),
        [PHASE_RSET] = STR_INIT("waiting for the reply to RSET"),
        [PHASE_QUIT] = STR_INIT("waiting for the reply to QUIT"),
        [PHASE_READY] = STR_INIT("between two messages"),
    };
    return words[phase];
}

static struct str who(struct attempt *a)
{
    const struct connection *c = a->connection;
    char ip[IP_TEXT_MAX];
    if (c->peer.ip.family == IP_NONE) {
        return c->host;
    }
    struct str at = ip_text(c->peer.ip, ip);
    if (str_starts(c->host, STR("["))) {
        return c->host; /* an address already */
    }
    return arena_format(&a->job->arena, "%.*s [%.*s]", STR_ARG(c->host), STR_ARG(at));
}

static struct str loss_text(struct attempt *a, const struct client_result *result,
                            struct status_code *status)
{
    struct arena *arena = &a->job->arena;
    struct str name = who(a);
    struct str when = awaited(result->phase);
    *status = (struct status_code){4, 4, 2};
    if (a->outgoing.error != 0) {
        *status = (struct status_code){4, 3, 0};
        if (a->outgoing.trouble.len > 0) {
            return arena_copy(arena, a->outgoing.trouble);
        }
        return STR("the message could not be read from the spool");
    }
    switch (a->connection->loss) {
    case LOSS_TIMEOUT:
        return arena_format(arena, "%.*s took too long, while %.*s", STR_ARG(name), STR_ARG(when));
    case LOSS_TLS: {
        struct str why = connection_tls_trouble(a->connection);
        *status = (struct status_code){4, 7, 5};
        return arena_format(arena, "the TLS handshake with %.*s failed: %.*s", STR_ARG(name),
                            STR_ARG(why));
    }
    case LOSS_STOPPED:
        *status = (struct status_code){4, 3, 2};
        return STR("this server was stopped during the delivery");
    case LOSS_BROKEN:
        return arena_format(arena, "the connection to %.*s broke, while %.*s", STR_ARG(name),
                            STR_ARG(when));
    case LOSS_NONE:
    case LOSS_ENDED:
        break;
    }
    return arena_format(arena, "%.*s closed the connection, while %.*s", STR_ARG(name),
                        STR_ARG(when));
}

/* Why a message that must come in time or back was not handed over. */
static struct str by_text(struct attempt *a, enum client_cause cause)
{
    struct arena *arena = &a->job->arena;
    struct str name = who(a);
    if (cause == CAUSE_NO_DELIVERBY) {
        return arena_format(arena,
                            "the sender demands that the message comes in time or back, and %.*s "
                            "does not promise that (DELIVERBY)",
                            STR_ARG(name));
    }
    if (cause == CAUSE_BY_OVER) {
        return STR("less than a second was left to deliver the message");
    }
    return arena_format(
        arena, "%ld s are left to deliver the message, and %.*s takes none with less than %lu s",
        (long)a->transaction.by.seconds, STR_ARG(name),
        (unsigned long)a->connection->client.peer.by_min);
}

/* Our own words for what is not a reply; a status of ours where the result has none. */
static struct str cause_text(struct attempt *a, const struct client_result *result,
                             struct status_code *status)
{
    struct arena *arena = &a->job->arena;
    struct str name = who(a);
    switch (result->cause) {
    case CAUSE_REPLY:
        return result->text;
    case CAUSE_LOST:
        return loss_text(a, result, status);
    case CAUSE_NO_SMTP: {
        struct str when = awaited(result->phase);
        *status = (struct status_code){4, 5, 0};
        return arena_format(arena, "%.*s sent something that is no SMTP reply, while %.*s",
                            STR_ARG(name), STR_ARG(when));
    }
    case CAUSE_UNEXPECTED:
        return arena_format(arena, "%.*s gave a reply out of place: %.*s", STR_ARG(name),
                            STR_ARG(result->text));
    case CAUSE_SELF:
        return arena_format(arena,
                            "the mail loops back to this server: %.*s bears our own name, yet its "
                            "domain is not among ours",
                            STR_ARG(name));
    case CAUSE_TOO_BIG:
        return arena_format(arena, "the message has %llu octets, and %.*s takes no more than %llu",
                            (unsigned long long)a->outgoing.size, STR_ARG(name),
                            (unsigned long long)a->connection->client.peer.size_limit);
    case CAUSE_8BIT:
        return arena_format(arena, "%.*s takes no 8-bit mail, and the message cannot be converted",
                            STR_ARG(name));
    case CAUSE_BINARY:
        return arena_format(arena, "%.*s takes no binary mail, and the message cannot be converted",
                            STR_ARG(name));
    case CAUSE_UTF8:
        return arena_format(arena,
                            "%.*s takes no mail with international addresses or header fields "
                            "(SMTPUTF8), which this message needs",
                            STR_ARG(name));
    case CAUSE_NO_TLS:
        return result->text.len > 0
                   ? arena_format(arena, "TLS is required, and %.*s refused it: %.*s",
                                  STR_ARG(name), STR_ARG(result->text))
                   : arena_format(arena, "TLS is required, and %.*s does not offer it",
                                  STR_ARG(name));
    case CAUSE_NO_REQUIRETLS:
        return arena_format(arena,
                            "the sender demands that the message stays private (REQUIRETLS), and "
                            "%.*s does not promise that",
                            STR_ARG(name));
    case CAUSE_NO_DELIVERBY:
    case CAUSE_BY_TOO_SOON:
    case CAUSE_BY_OVER:
        return by_text(a, result->cause);
    case CAUSE_SYNTAX:
        return STR("the address holds characters that no SMTP command may");
    case CAUSE_MEMORY:
        break;
    }
    *status = (struct status_code){4, 3, 0};
    return STR("this server has no memory left");
}

struct outcome attempt_trouble(struct attempt *a, struct status_code status, struct str text)
{
    struct clock *clock = a->office->ports->clock;
    return (struct outcome){
        .kind = status.class == 5 ? OUTCOME_FAILED : OUTCOME_DEFERRED,
        .at = clock->wall(clock),
        .status = status,
        .site = a->job->site,
        .text = text,
    };
}

struct outcome attempt_outcome(struct attempt *a, const struct client_result *result)
{
    struct status_code status = result->status;
    struct str text = cause_text(a, result, &status);
    struct outcome outcome = attempt_trouble(a, status, text);
    switch (result->verdict) {
    case VERDICT_ACCEPTED:
        outcome.kind = a->connection->client.lmtp ? OUTCOME_DELIVERED : OUTCOME_RELAYED;
        break;
    case VERDICT_PERMANENT:
        outcome.kind = OUTCOME_FAILED;
        break;
    case VERDICT_OPEN:
    case VERDICT_TEMPORARY:
        outcome.kind = OUTCOME_DEFERRED;
        break;
    }
    outcome.reply_code =
        result->cause == CAUSE_REPLY || result->cause == CAUSE_UNEXPECTED ? result->code : 0;
    outcome.passed_on = result->passed_on;
    outcome.by_unheard = result->by_unheard;
    outcome.host = arena_copy(&a->job->arena, a->connection->host);
    outcome.peer = a->connection->peer;
    return outcome;
}
