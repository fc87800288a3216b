#include "path/policy/policy.h"

#include "path/route/local.h"

bool policy_is_own(const struct policy_client *client)
{
    if (client->ip.family == IP_NONE) {
        return true;
    }
    struct ip ip = ip_unmap(client->ip);
    for (size_t i = 0; i < client->config->network_count; i++) {
        if (network_contains(client->config->networks[i], ip)) {
            return true;
        }
    }
    return false;
}

enum answer policy_mail(const struct policy_client *client, struct str reverse_path)
{
    if (client->user.len > 0) {
        bool own = reverse_path.len == 0 || policy_may_write_as(client, reverse_path);
        return own ? ANSWER_OK : ANSWER_NOT_YOUR_SENDER;
    }
    if (policy_is_own(client)) {
        return ANSWER_OK;
    }
    if (client->mode == LISTEN_SUBMISSION && client->config->relay != RELAY_OPEN) {
        return client->config->store_count > 0 ? ANSWER_AUTH_FIRST : ANSWER_SUBMIT_FIRST;
    }
    bool lie = client->helo == HELO_ELSEWHERE || client->helo == HELO_UNRESOLVED;
    return lie && client->config->helo == HELO_REJECT ? ANSWER_HELO_LIE : ANSWER_OK;
}

bool policy_completes(const struct policy_client *client)
{
    const struct config *config = client->config;
    bool own = config->complete.whose == COMPLETE_NETWORKS && client->mode != LISTEN_LMTP &&
               policy_is_own(client);
    return config->completion.domain.len > 0 && (client->mode == LISTEN_SUBMISSION || own);
}

struct completion policy_completion(const struct policy_client *client)
{
    struct completion completion = client->config->completion;
    size_t at = str_rfind(client->user, '@');
    struct str domain = at == STR_NONE ? STR("") : str_tail(client->user, at + 1);
    const struct config_domain *ours = config_find_domain(client->config, domain);
    if (domain.len > 0 && ours && !str_eq(ours->name, STR("*"))) {
        completion.domain = ours->name;
    }
    return completion;
}

static bool may_relay(const struct policy_client *client)
{
    return client->config->relay == RELAY_OPEN || client->user.len > 0 || policy_is_own(client);
}

/* <postmaster> is every host's (RFC 5321 4.5.1). */
static struct str postmaster(const struct config *config, struct arena *arena)
{
    if (config->domain_count == 0 && config->queue.bounce_postmaster.len > 0) {
        return arena_copy(arena, config->queue.bounce_postmaster);
    }
    bool named = config->domain_count > 0 && !str_eq(config->domains[0].name, STR("*"));
    struct str domain = named ? config->domains[0].name : config->hostname;
    return arena_format(arena, "postmaster@%.*s", STR_ARG(domain));
}

enum answer policy_rcpt(const struct policy_client *client, const struct path *path,
                        struct arena *arena, struct str *address)
{
    struct str text =
        path->postmaster ? postmaster(client->config, arena) : mailbox_print(&path->mailbox, arena);
    if (!text.ptr) {
        return ANSWER_NO_MEMORY;
    }
    struct local_answer local = {0};
    struct arena looking = {0}; /* of 100,000 recipients only the address is kept */
    local_find(client->config, text, &looking, &local);
    arena_done(&looking);
    if (local.no_memory) {
        return ANSWER_NO_MEMORY;
    }
    switch (local.verdict) {
    case LOCAL_NOT_OURS:
        if (!path->postmaster && !may_relay(client)) {
            return ANSWER_RELAY_DENIED;
        }
        break;
    case LOCAL_UNKNOWN:
        return ANSWER_NO_SUCH_USER;
    case LOCAL_MAILBOX:
    case LOCAL_ALIAS:
        break;
    }
    *address = text;
    return ANSWER_RCPT_OK;
}
