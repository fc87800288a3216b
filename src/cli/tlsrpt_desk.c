#include "cli/tlsrpt_desk.h"

void tlsrpt_desk_open(struct tlsrpt_desk *desk, const struct config *config, struct loop **loops,
                      size_t count)
{
    const struct config_tls_reports *reports = &config->tls_reports;
    if (reports->use == TLS_REPORTS_NEVER || config->sandbox) {
        return;
    }
    desk->tally = tally_new(reports->every);
    for (size_t i = 0; desk->tally && i < count; i++) {
        loop_set_tally(loops[i], tally_port(desk->tally));
    }
}

void tlsrpt_desk_start(struct tlsrpt_desk *desk, const struct config *config, struct loop *home,
                       struct draft_office *drafts, struct queue_id_maker *ids)
{
    struct arena *memory = &desk->memory;
    struct str from = config->tls_reports.from;
    struct str file = arena_format(memory, "%.*s/tls-reports.json", STR_ARG(config->spool_path));
    struct reporter *r = &desk->reporter;
    if (!desk->tally || !file.ptr) {
        return;
    }
    /* Copied: the configuration may be replaced. */
    *r = (struct reporter){
        .ports = loop_ports(home),
        .loop = home,
        .tally = desk->tally,
        .drafts = drafts,
        .ids = ids,
        .file = file.ptr,
        .hostname = arena_copy(memory, config->hostname),
        .from = from.len > 0 ? arena_copy(memory, from)
                             : arena_format(memory, "postmaster@%.*s", STR_ARG(config->hostname)),
        .https_port = config->deliver.https_port,
    };
    if (r->hostname.ptr && r->from.ptr) {
        reporter_start(r);
    }
}

void tlsrpt_desk_stop(struct tlsrpt_desk *desk)
{
    reporter_stop(&desk->reporter);
}

void tlsrpt_desk_close(struct tlsrpt_desk *desk)
{
    if (desk->tally) {
        reporter_done(&desk->reporter);
    }
    tally_free(desk->tally);
    arena_done(&desk->memory);
    *desk = (struct tlsrpt_desk){0};
}
