#include "path/deliver/tally.h"

/* A policy that could not be had or used, or that is in testing and does not name the host, is its
 * domain's failure, whatever became of the session. */
static enum tls_failure failure_of(enum tls_failure session, const struct tls_policy *policy,
                                   struct str host)
{
    if (session != TLS_FAILED_NOT) {
        return session;
    }
    if (policy->base.len > 0) {
        return policy->tlsa_count > 0 ? TLS_FAILED_NOT : TLS_FAILED_TLSA;
    }
    bool named = policy->sts != STS_TESTING || sts_names_host(policy->sts_mx, host);
    return named ? policy->sts_failure : TLS_FAILED_VALIDATION;
}

/* What was promised, in the words of RFC 8460 4.4. */
static void write_policy(struct buf *out, const struct tls_policy *policy, enum tls_promise promise,
                         uint16_t port)
{
    if (promise == PROMISE_STS && policy->sts != STS_NONE) {
        sts_policy_format(out, &(struct sts_policy){.mode = policy->sts,
                                                    .mx = policy->sts_mx,
                                                    .max_age = policy->sts_max_age});
    }
    for (size_t i = 0; promise == PROMISE_TLSA && i < policy->tlsa_count; i++) {
        buf_add_format(out, "_%u._tcp.%.*s. IN TLSA ", (unsigned)port, STR_ARG(policy->base));
        tlsa_write(out, &policy->tlsa[i]);
        buf_add(out, STR("\n"));
    }
}

static enum tls_promise promise_of(const struct tls_policy *policy, enum tls_failure failure)
{
    if (policy->base.len > 0 || failure == TLS_FAILED_DNSSEC) {
        return PROMISE_TLSA;
    }
    bool sts = policy->sts != STS_NONE || policy->sts_failure != TLS_FAILED_NOT;
    return sts ? PROMISE_STS : PROMISE_NONE;
}

static void count(const struct ports *ports, const struct tls_policy *policy, struct str host,
                  const struct stream *stream, enum tls_failure failure)
{
    if (!ports->tally || policy->domain.len == 0) {
        return;
    }
    enum tls_promise promise = promise_of(policy, failure);
    struct str base = policy->base.len > 0 ? policy->base : host;
    struct buf lines = {0};
    write_policy(&lines, policy, promise, stream ? stream->peer.port : 0);
    struct tls_session session = {
        .domain = policy->domain,
        .promise = promise,
        .promised_by = promise == PROMISE_TLSA ? base : policy->domain,
        .mx = promise == PROMISE_STS ? policy->sts_mx : (struct str){0},
        .policy = buf_str(&lines),
        .host = host,
        .ip = stream ? stream->peer.ip : (struct ip){0},
        .source = stream ? stream->local.ip : (struct ip){0},
        .failure = failure_of(failure, policy, host),
    };
    ports->tally->count(ports->tally, &session);
    buf_done(&lines);
}

void tally_connection(const struct connection *c)
{
    const struct ports *ports = c->office->ports;
    const struct smtp_client *client = &c->client;
    enum tls_failure failure = TLS_FAILED_NOT;
    struct tls_facts facts;
    if (c->loss == LOSS_TLS) {
        failure = ports->tls && ports->tls->failure ? ports->tls->failure(c->stream)
                                                    : TLS_FAILED_VALIDATION;
    } else if (client->secured) {
        failure =
            ports->tls && ports->tls->facts(c->stream, &facts) ? facts.failure : TLS_FAILED_NOT;
    } else if (c->tls->level != TLS_NONE && (smtp_client_state(client) == CLIENT_READY ||
                                             client->failure.cause == CAUSE_NO_TLS)) {
        failure = TLS_FAILED_STARTTLS;
    } else {
        return; /* TLS was not wanted, or it did not come so far */
    }
    count(ports, c->tls, c->host, c->stream, failure);
}

void tally_refusal(const struct host_tls_query *query)
{
    const struct tls_policy *policy = &query->hop->tls;
    bool named = policy->sts != STS_ENFORCE ||
                 sts_names_host(policy->sts_mx, query->hop->hosts[query->host].name);
    count(query->ports, policy, query->hop->hosts[query->host].name, NULL,
          named ? TLS_FAILED_DNSSEC : TLS_FAILED_VALIDATION);
}
