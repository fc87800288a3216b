#include "world/suffixes.h"

#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_OCTETS = 255 };

struct list {
    struct suffixes port;
    psl_ctx_t *psl;
};

static struct str organisation(struct suffixes *suffixes, struct str domain)
{
    const struct list *list = CONTAINER_OF(suffixes, struct list, port);
    char name[NAME_MAX_OCTETS + 1];
    if (domain.len == 0 || domain.len > NAME_MAX_OCTETS) {
        return domain;
    }
    memcpy(name, domain.ptr, domain.len);
    name[domain.len] = '\0';
    const char *registrable = psl_registrable_domain(list->psl, name);
    return registrable ? str_tail(domain, (size_t)(registrable - name)) : domain;
}

struct suffixes *suffixes_new(void)
{
    struct list *list = calloc(1, sizeof *list);
    if (!list) {
        return NULL;
    }
    list->port.organisation = organisation;
    list->psl = psl_latest(NULL);
    if (!list->psl) {
        free(list);
        return NULL;
    }
    return &list->port;
}

void suffixes_free(struct suffixes *suffixes)
{
    if (suffixes) {
        struct list *list = CONTAINER_OF(suffixes, struct list, port);
        psl_free(list->psl);
        free(list);
    }
}
