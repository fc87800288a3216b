#include "cli/sts_desk.h"

struct sts_office *sts_desk_open(struct sts_desk *desk, const struct config *config,
                                 struct loop *loop, bool read_only)
{
    const char *authorities = config->authorities.len > 0 ? config->authorities.ptr : NULL;
    if (config->mta_sts == MTA_STS_NEVER || config->sandbox) {
        return NULL;
    }
    struct str folder = arena_format(&desk->memory, "%.*s/mta-sts", STR_ARG(config->spool_path));
    desk->service = folder.ptr ? https_service_new(authorities) : NULL;
    desk->https = desk->service ? https_of_loop(desk->service, loop_ports(loop)->inbox) : NULL;
    if (!desk->https) {
        return NULL;
    }
    loop_set_https(loop, desk->https);
    desk->office = (struct sts_office){.ports = loop_ports(loop),
                                       .folder = folder,
                                       .read_only = read_only,
                                       .port = config->deliver.https_port,
                                       .patience = config->deliver.mta_sts};
    sts_office_init(&desk->office);
    return &desk->office;
}

void sts_desk_stop(struct sts_desk *desk)
{
    if (desk->office.ports) {
        sts_office_stop(&desk->office);
    }
    https_service_free(desk->service);
    desk->service = NULL;
}

void sts_desk_close(struct sts_desk *desk)
{
    if (desk->office.ports) {
        sts_office_done(&desk->office);
    }
    https_free(desk->https);
    arena_done(&desk->memory);
    *desk = (struct sts_desk){0};
}
