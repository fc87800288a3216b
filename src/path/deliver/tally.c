#include "path/deliver/tally.h"

/* A policy that could not be had, or that is in testing and does not name the host, is its domain's
 * failure, whatever became of the session. */
static enum tls_failure failure_of(enum tls_failure session, const struct tls_policy *policy,
                                   struct str host)
{
    if (session != TLS_FAILED_NOT) {
        return session;
    }
    bool named =
        policy->sts != STS_TESTING || policy->base.len > 0 || sts_names_host(policy->sts_mx, host);
    return named ? policy->sts_failure : TLS_FAILED_VALIDATION;
}

static void count(const struct ports *ports, const struct tls_policy *policy, struct str host,
                  const struct ip *ip, enum tls_failure failure)
{
    bool sts = policy->sts != STS_NONE || policy->sts_failure != TLS_FAILED_NOT;
    struct tls_session session = {
        .domain = policy->domain,
        .promise = policy->base.len > 0 ? PROMISE_TLSA
                   : sts                ? PROMISE_STS
                                        : PROMISE_NONE,
        .promised_by = policy->base.len > 0 ? policy->base : policy->domain,
        .mx = policy->base.len > 0 ? (struct str){0} : policy->sts_mx,
        .host = host,
        .ip = *ip,
        .failure = failure_of(failure, policy, host),
    };
    if (ports->tally && policy->domain.len > 0) {
        ports->tally->count(ports->tally, &session);
    }
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
    count(ports, c->tls, c->host, &c->peer.ip, failure);
}

void tally_refusal(const struct host_tls_query *query)
{
    const struct tls_policy *policy = &query->hop->tls;
    bool named = policy->sts != STS_ENFORCE ||
                 sts_names_host(policy->sts_mx, query->hop->hosts[query->host].name);
    count(query->ports, policy, query->hop->hosts[query->host].name, &(struct ip){0},
          named ? TLS_FAILED_DNSSEC : TLS_FAILED_VALIDATION);
}
