/* send_as.c: as whom a user who has logged in may write. His own address always: the name itself if
 * it is an address, else the name at any of our domains; a tag does not matter. */
#include "path/policy/policy.h"

static struct str without_tag(struct str local, char separator)
{
    size_t at = separator ? str_find(local, separator) : STR_NONE;
    return at == STR_NONE || at == 0 ? local : str_head(local, at);
}

static bool is_own_address(const struct policy_client *client, struct str address)
{
    size_t at = str_rfind(address, '@');
    struct str domain = at == STR_NONE ? STR("") : str_tail(address, at + 1);
    const struct config_domain *ours = config_find_domain(client->config, domain);
    struct str local = str_head(address, at == STR_NONE ? address.len : at);
    struct str bare = without_tag(local, ours ? ours->tag_separator : '\0');
    size_t user_at = str_rfind(client->user, '@');
    if (user_at == STR_NONE) {
        return ours && (str_eq_nocase(bare, client->user) || str_eq_nocase(local, client->user));
    }
    struct str user_local = str_head(client->user, user_at);
    return str_eq_nocase(domain, str_tail(client->user, user_at + 1)) &&
           (str_eq_nocase(bare, user_local) || str_eq_nocase(local, user_local));
}

static bool fits(struct str pattern, struct str address)
{
    if (str_eq(pattern, STR("*"))) {
        return true;
    }
    bool whole_domain = pattern.len > 0 && pattern.ptr[0] == '@';
    return whole_domain ? str_ends_nocase(address, pattern) : str_eq_nocase(address, pattern);
}

bool policy_may_write_as(const struct policy_client *client, struct str address)
{
    const struct config *config = client->config;
    if (client->user.len == 0 || config->send_as_any || is_own_address(client, address)) {
        return true;
    }
    for (size_t i = 0; i < config->send_as_count; i++) {
        const struct config_send_as *rule = &config->send_as[i];
        for (size_t k = 0; str_eq_nocase(rule->user, client->user) && k < rule->pattern_count;
             k++) {
            if (fits(rule->patterns[k], address)) {
                return true;
            }
        }
    }
    return false;
}
