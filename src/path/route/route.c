#include "path/route/route.h"

#include "path/route/asker.h"
#include "path/route/domains.h"
#include "path/route/hop.h"
#include "path/route/local.h"
#include "path/route/steps.h"
#include "path/route/tls_rule.h"
#include "path/route/transport.h"

/* One routing under way. It lives in the query's arena. */
struct run {
    struct route_query *query;
    struct asker asker;
    struct mx mx;
    struct dns_notes notes;
    struct str address; /* without the backslash of "this mailbox itself" */
    struct mailbox mailbox;
    struct str domain; /* in A-labels and lower case */
    struct str served; /* whose MX records are used; empty: nobody's */
    uint16_t port;     /* of the MX hosts */
    struct sts_query sts;
};

static void end_with(struct run *run, enum routing_verdict verdict, struct status_code status,
                     struct str text)
{
    struct routing *result = &run->query->result;
    result->verdict = verdict;
    result->status = status;
    result->text = text;
    if (text.len > 0) {
        dns_note_add(&run->notes, "%.*s", STR_ARG(text));
    }
}

static void fail(struct run *run, uint16_t subject, uint16_t detail, struct str text)
{
    end_with(run, ROUTING_FAIL, (struct status_code){5, subject, detail}, text);
}

static void defer_no_memory(struct run *run)
{
    end_with(run, ROUTING_DEFER, (struct status_code){4, 3, 0}, STR("no memory"));
}

static void note_tls(struct run *run, const struct tls_policy *tls)
{
    struct str level = tls_level_word(tls->level);
    const char *implicit = tls->implicit ? ", implicit" : "";
    if (tls->sts) {
        struct str mode = sts_mode_word(tls->sts);
        dns_note_add(&run->notes, "MTA-STS (%.*s) names the hosts %.*s", STR_ARG(mode),
                     STR_ARG(tls->sts_mx));
    }
    if (tls->sts && !tls->dane) {
        return;
    }
    if (tls->dane) {
        dns_note_add(&run->notes,
                     "TLS policy %.*s%s, unless a host has TLSA records (DANE): the hosts' names "
                     "are not forged",
                     STR_ARG(level), implicit);
        return;
    }
    bool rule = tls->source.len > 0;
    dns_note_add(&run->notes, "TLS policy %.*s%s, by the %s%.*s%s%s%.*s", STR_ARG(level), implicit,
                 rule ? "rule for \"" : "transport", STR_ARG(tls->source), rule ? "\"" : "",
                 tls->names.len > 0 ? "; certificates for " : "", STR_ARG(tls->names));
}

/* The hop is made, or memory was short while it was. */
static void end_hop(struct run *run, bool made)
{
    struct routing *result = &run->query->result;
    struct next_hop *hop = &result->hop;
    struct str served = run->served.len > 0 ? run->served : run->domain;
    hop->tls.domain = run->served;
    hop->tls.required = run->query->require_tls;
    hop->tls.optional = run->query->tls_optional;
    bool ruled =
        made && tls_rule_apply(run->query->config, run->domain, served, hop, run->query->arena);
    if (!made || !hop->site.ptr) {
        defer_no_memory(run);
        return;
    }
    if (ruled) {
        note_tls(run, &hop->tls);
    }
    if (!run->query->silent) {
        struct str described = hop_describe(&result->hop, run->query->arena);
        dns_note_add(&run->notes, "%.*s goes %.*s", STR_ARG(run->address), STR_ARG(described));
    }
    end_with(run, ROUTING_HOP, (struct status_code){0}, (struct str){0});
}

static void go_to_file_or_program(struct run *run)
{
    struct str target = run->address;
    dns_note_add(&run->notes, "an alias names this %s", target.ptr[0] == '|' ? "program" : "file");
    bool made = hop_to_file_or_program(&run->query->result.hop, target, run->query->arena);
    if (!made && str_trim(str_tail(target, 1)).len == 0) {
        fail(run, 3, 5, STR("the alias names no program"));
        return;
    }
    end_hop(run, made);
}

static void go_to_mailbox(struct run *run, const struct local_answer *local)
{
    struct template_values values = {.domain = local->domain->name,
                                     .local = local->local,
                                     .tag = local->tag,
                                     .sender = run->query->sender};
    if (str_eq(values.domain, STR("*"))) {
        values.domain = run->domain;
    }
    dns_note_add(&run->notes, "%.*s is the mailbox %.*s%s%.*s", STR_ARG(run->address),
                 STR_ARG(local->local), local->tag.len > 0 ? ", tag " : "", STR_ARG(local->tag));
    end_hop(run, hop_to_mailbox(&run->query->result.hop, &local->domain->mailboxes, &values,
                                run->query->arena));
}

static void expand(struct run *run, const struct local_answer *local)
{
    struct routing *result = &run->query->result;
    struct arena *arena = run->query->arena;
    size_t count = 0;
    struct str *members = local_targets(local, arena, &count);
    result->children = arena_array(arena, count ? count : 1, sizeof *result->children);
    if (!members || !result->children) {
        defer_no_memory(run);
        return;
    }
    if (count == 0) {
        fail(run, 1, 1,
             arena_format(arena, "the alias %.*s has no members", STR_ARG(run->address)));
        return;
    }
    dns_note_add(&run->notes, "%.*s is an alias of %zu", STR_ARG(run->address), count);
    if (local->owner.len > 0) {
        dns_note_add(&run->notes, "its failures are reported to %.*s", STR_ARG(local->owner));
    }
    for (size_t i = 0; i < count; i++) {
        dns_note_add(&run->notes, "member %.*s", STR_ARG(members[i]));
        result->children[i] = (struct outcome_child){members[i], local->owner};
    }
    result->child_count = count;
    end_with(run, ROUTING_EXPAND, (struct status_code){0}, (struct str){0});
}

static bool next_question(struct asker *asker, struct dns_question *question)
{
    return mx_question(&CONTAINER_OF(asker, struct run, asker)->mx, question);
}

static void take_answer(struct asker *asker, uint32_t id, const struct dns_answer *answer)
{
    (void)id; /* it asks one thing at a time */
    mx_answer(&CONTAINER_OF(asker, struct run, asker)->mx, answer);
}

/* The MX machine's notes follow ours; both are in one arena. */
static void append_notes(struct dns_notes *notes, const struct dns_notes *more)
{
    if (!more->first) {
        return;
    }
    if (notes->last) {
        notes->last->next = more->first;
    } else {
        notes->first = more->first;
    }
    notes->last = more->last;
    notes->count += more->count;
}

static void end_mx_failure(struct run *run)
{
    static const struct {
        struct status_code status;
        const char *words;
    } table[] = {
        [MX_NULL] = {{5, 1, 10}, "takes no mail at all (null MX)"},
        [MX_NXDOMAIN] = {{5, 1, 2}, "does not exist in the DNS"},
        [MX_NO_ADDRESS] = {{5, 4, 4}, "has neither a mail host nor an address in the DNS"},
        [MX_UNUSABLE] = {{5, 4, 4}, "names no usable mail host in the DNS"},
        [MX_OURSELVES] = {{5, 4, 6}, "leads back to this server, which does not know it"},
        [MX_LOOP] = {{5, 4, 6}, "is an alias (CNAME) that leads in a circle, or too far"},
        [MX_TEMPORARY] = {{4, 4, 3}, "could not be looked up"},
    };
    const struct mx *mx = &run->mx;
    bool temporary = mx->verdict == MX_TEMPORARY;
    struct str text =
        arena_format(run->query->arena, "The domain %.*s %s%s%s", STR_ARG(run->domain),
                     table[mx->verdict].words, temporary ? ": " : "", temporary ? mx->reason : "");
    end_with(run, temporary ? ROUTING_DEFER : ROUTING_FAIL, table[mx->verdict].status, text);
}

static void finish(struct run *run)
{
    struct route_query *query = run->query;
    query->result.steps = steps_from(&run->notes, query->arena, &query->result.step_count);
    query->impl = NULL;
    query->done(query);
}

static void on_sts(struct sts_query *sts)
{
    struct run *run = sts->owner;
    struct tls_policy *tls = &run->query->result.hop.tls;
    if (sts->why.len > 0) {
        dns_note_add(&run->notes, "MTA-STS policy of %.*s: %.*s", STR_ARG(run->served),
                     STR_ARG(sts->why));
    }
    static const enum tls_failure failures[] = {
        [STS_FINE] = TLS_FAILED_NOT,
        [STS_NOT_FETCHED] = TLS_FAILED_STS_FETCH,
        [STS_NOT_VALID] = TLS_FAILED_STS_INVALID,
        [STS_NOT_TRUSTED] = TLS_FAILED_STS_WEBPKI,
    };
    tls->sts_failure = failures[sts->trouble];
    tls->sts = sts->policy.mode;
    tls->sts_mx = sts->policy.mx;
    tls->sts_max_age = sts->policy.max_age;
    end_hop(run, true);
    finish(run);
}

/* The hosts are known. True: it goes on in on_sts(). */
static bool ask_sts(struct run *run)
{
    struct route_query *query = run->query;
    bool made = hop_to_mx(&query->result.hop, &run->mx, run->port, query->arena);
    if (made && query->sts && !query->tls_optional &&
        !tls_rule_exists(query->config, run->domain)) {
        run->sts = (struct sts_query){.done = on_sts,
                                      .office = query->sts,
                                      .arena = query->arena,
                                      .domain = run->served,
                                      .owner = run};
        if (sts_start(&run->sts)) {
            return true;
        }
        made = false;
    }
    end_hop(run, made);
    return false;
}

static void turned(struct asker *asker)
{
    struct run *run = CONTAINER_OF(asker, struct run, asker);
    if (run->mx.verdict == MX_ASKING) {
        return;
    }
    append_notes(&run->notes, &run->mx.notes);
    if (run->mx.verdict == MX_HOSTS) {
        if (ask_sts(run)) {
            return;
        }
    } else {
        end_mx_failure(run);
    }
    finish(run);
}

static void start_mx(struct run *run, struct str domain, uint16_t port)
{
    const struct ports *ports = run->query->ports;
    run->port = port;
    run->served = arena_lower(run->query->arena, domain);
    run->asker = (struct asker){.resolver = ports->resolver,
                                .question = next_question,
                                .answer = take_answer,
                                .turned = turned};
    mx_start(&run->mx, run->query->arena, domain, run->query->config->hostname,
             ports->entropy->u64(ports->entropy));
    asker_ask(&run->asker);
}

static void go_by_transport(struct run *run, const struct config_transport *transport)
{
    struct next_hop *hop = &run->query->result.hop;
    struct arena *arena = run->query->arena;
    uint16_t smtp_port = transport->port ? transport->port : run->query->config->deliver.port;
    dns_note_add(&run->notes, "the transport for \"%.*s\" applies to %.*s",
                 STR_ARG(transport->match), STR_ARG(run->domain));
    bool made;
    switch (transport->kind) {
    case TRANSPORT_SMTP:
        made = hop_to_host(hop, HOP_SMTP, transport->host, smtp_port, arena);
        hop->tls.implicit = transport->implicit_tls;
        end_hop(run, made);
        break;
    case TRANSPORT_LMTP:
        end_hop(run, hop_to_host(hop, HOP_LMTP, transport->host,
                                 transport->port ? transport->port : TRANSPORT_LMTP_PORT, arena));
        break;
    case TRANSPORT_LMTP_LOCAL:
        end_hop(run, hop_to_socket(hop, transport->path, arena));
        break;
    case TRANSPORT_MX:
        start_mx(run, transport->host.len > 0 ? transport->host : run->domain, smtp_port);
        break;
    case TRANSPORT_DISCARD:
        hop_to_nowhere(hop);
        end_hop(run, true);
        break;
    case TRANSPORT_ERROR:
        fail(run, 7, 1,
             transport->host.len > 0 ? transport->host
                                     : STR("mail to this domain is refused by configuration"));
        break;
    }
}

static void go_out(struct run *run)
{
    const struct config *config = run->query->config;
    const struct domain *domain = &run->mailbox.domain;
    if (config->sandbox) {
        fail(run, 7, 1, STR("nothing leaves the sandbox"));
        return;
    }
    if (run->domain.len == 0) {
        fail(run, 1, 2, STR("the domain is no name that the DNS can hold"));
        return;
    }
    const struct config_transport *transport = transport_find(config, run->domain);
    if (transport) {
        go_by_transport(run, transport);
        return;
    }
    struct next_hop *hop = &run->query->result.hop;
    switch (domain->kind) {
    case DOMAIN_LITERAL_V4:
    case DOMAIN_LITERAL_V6:
        *hop = (struct next_hop){.kind = HOP_SMTP};
        end_hop(run, hop_to_ip(hop, domain->ip, config->deliver.port, run->query->arena));
        break;
    case DOMAIN_NAME:
        start_mx(run, run->domain, config->deliver.port);
        break;
    }
}

/* Own domains first: no transport and no DNS record takes their mail away. */
static void go_by_address(struct run *run)
{
    struct route_query *query = run->query;
    struct local_answer local;
    if (mailbox_parse(run->address, &run->mailbox) != MAILBOX_OK) {
        fail(run, 1, 3, STR("this is not an address"));
        return;
    }
    (void)local_own_domain(query->config, &run->mailbox.domain, query->arena, &run->domain);
    local_find(query->config, query->address, query->arena, &local);
    /* Every ASCII name has its A-labels: without them memory failed. */
    if (local.no_memory || (run->domain.len == 0 && !run->mailbox.domain.utf8)) {
        defer_no_memory(run);
        return;
    }
    if (local.verdict != LOCAL_NOT_OURS) {
        dns_note_add(&run->notes, "%.*s is a domain of ours", STR_ARG(run->domain));
    }
    switch (local.verdict) {
    case LOCAL_NOT_OURS:
        query->result.whole_domain = query->result.address.len == 0;
        go_out(run);
        break;
    case LOCAL_UNKNOWN:
        fail(run, 1, 1,
             arena_format(query->arena, "There is no mailbox %.*s here", STR_ARG(run->address)));
        break;
    case LOCAL_MAILBOX:
        go_to_mailbox(run, &local);
        break;
    case LOCAL_ALIAS:
        expand(run, &local);
        break;
    }
}

/* A backslash marks what an alias alone may bring. Without it "|command@domain" is an ordinary
 * address, for "|" and "/" are letters of a local part like others (RFC 5322 3.2.3). */
static void decide(struct run *run)
{
    bool from_alias = str_starts(run->query->address, STR("\\"));
    run->address = str_tail(run->query->address, from_alias ? 1 : 0);
    if (from_alias && (str_starts(run->address, STR("/")) || str_starts(run->address, STR("|")))) {
        go_to_file_or_program(run);
        return;
    }
    if (from_alias) {
        run->query->result.address = run->address;
    }
    go_by_address(run);
}

/* What needs no DNS is told when the loop turns. */
static void at_once(struct timer *timer)
{
    struct route_query *query = CONTAINER_OF(timer, struct route_query, timer);
    struct run *run = query->impl;
    if (!run) {
        query->result.verdict = ROUTING_DEFER;
        query->result.status = (struct status_code){4, 3, 0};
        query->result.text = STR("no memory");
        query->done(query);
    } else if (run->asker.turned) {
        turned(&run->asker);
    } else {
        finish(run);
    }
}

void route_start(struct route_query *query)
{
    struct run *run = ARENA_NEW(query->arena, struct run);
    query->impl = run;
    query->result = (struct routing){0};
    query->timer = (struct timer){.fire = at_once};
    if (run) {
        run->query = query;
        run->notes.arena = query->silent ? NULL : query->arena;
        decide(run);
    }
    bool asking = run && run->asker.turned && run->mx.verdict == MX_ASKING;
    if (!asking) {
        query->ports->timers->arm(query->ports->timers, &query->timer, SPAN_S(0));
    }
}

void route_cancel(struct route_query *query)
{
    struct run *run = query->impl;
    query->impl = NULL;
    if (query->timer.fire) {
        query->ports->timers->cancel(query->ports->timers, &query->timer);
    }
    if (run) {
        asker_cancel(&run->asker);
        sts_cancel(&run->sts);
    }
}
