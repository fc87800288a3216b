#include "cli/check_system.h"

#include <unistd.h>

bool check_system_users(struct config_problems *problems, const struct config *config,
                        struct str file)
{
    for (size_t i = 0; i < config->domain_count; i++) {
        if (config->domains[i].mailboxes.kind == MAILBOX_SYSTEM && geteuid() != 0) {
            config_problem(
                problems, false, (struct config_place){.file = file},
                "%.*s has `mailboxes: system`: only a server that root starts can deliver "
                "as each user",
                STR_ARG(config->domains[i].name));
            return false;
        }
    }
    return true;
}
