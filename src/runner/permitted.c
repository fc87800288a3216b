#include "runner/permitted.h"

#include "path/route/hop.h"

/* What path/deliver/pipe.c gives, and no LD_PRELOAD. */
static const struct str variables[] = {
    STR_INIT("PATH=/usr/local/bin:/usr/bin:/bin"),
    STR_INIT("SENDER="),
    STR_INIT("RECIPIENT="),
    STR_INIT("ORIGINAL_RECIPIENT="),
    STR_INIT("LOCAL="),
    STR_INIT("DOMAIN="),
    STR_INIT("EXTENSION="),
    STR_INIT("MESSAGE_ID="),
};

bool environment_is_plain(const struct order *order)
{
    for (size_t i = 0; i < order->environment_count; i++) {
        struct str variable = str_from_cstr(order->environment[i]);
        bool known = i == 0 && str_eq(variable, variables[0]);
        for (size_t j = 1; j < ARRAY_LEN(variables); j++) {
            known = known || str_starts(variable, variables[j]);
        }
        if (!known) {
            return false;
        }
    }
    return true;
}

/* What stands before the first brace and after the last must be there; between, an address's parts.
 * An argument that an address begins is no option. */
static bool can_give(struct str template, struct str argument)
{
    size_t open = str_find(template, '{');
    size_t close = str_rfind(template, '}');
    if (open == STR_NONE || close == STR_NONE || close < open) {
        return str_eq(template, argument);
    }
    struct str before = str_head(template, open);
    struct str after = str_tail(template, close + 1);
    return argument.len >= before.len + after.len && str_starts(argument, before) &&
           str_ends(argument, after) && !(open == 0 && str_starts(argument, STR("-")));
}

static bool is_pipe(const struct config_mailboxes *mailboxes, const struct order *order)
{
    if (mailboxes->kind != MAILBOX_PIPE || mailboxes->argc != order->argc ||
        !str_eq(mailboxes->argv[0], str_from_cstr(order->argv[0]))) {
        return false;
    }
    for (size_t i = 1; i < order->argc; i++) {
        if (!can_give(mailboxes->argv[i], str_from_cstr(order->argv[i]))) {
            return false;
        }
    }
    return true;
}

static bool is_command(struct str text, const struct order *order, struct arena *arena)
{
    struct next_hop hop;
    struct str command = str_trim(text);
    command =
        str_starts(command, STR("|")) ? command : arena_format(arena, "|%.*s", STR_ARG(command));
    if (!command.ptr || !hop_to_file_or_program(&hop, command, arena) || hop.argc != order->argc) {
        return false;
    }
    for (size_t i = 0; i < hop.argc; i++) {
        if (!str_eq(hop.argv[i], str_from_cstr(order->argv[i]))) {
            return false;
        }
    }
    return true;
}

static bool is_of_an_alias(const struct config_domain *domain, const struct order *order)
{
    for (size_t i = 0; i < domain->alias_count; i++) {
        const struct alias *alias = &domain->aliases[i];
        for (size_t j = 0; j < alias->target_count; j++) {
            struct arena arena = {0};
            bool found = alias->targets[j].kind == ALIAS_PIPE &&
                         is_command(alias->targets[j].text, order, &arena);
            arena_done(&arena);
            if (found) {
                return true;
            }
        }
    }
    return false;
}

bool program_is_permitted(const struct config *config, const struct order *order)
{
    bool found = false;
    for (size_t i = 0; i < config->domain_count && !found; i++) {
        found = is_pipe(&config->domains[i].mailboxes, order) ||
                is_of_an_alias(&config->domains[i], order);
    }
    return found && order->argv[0][0] == '/' && environment_is_plain(order);
}
