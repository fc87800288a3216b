#include "path/session/session_inside.h"

void session_office_init(struct session_office *office, const struct config *config)
{
    office->config = config_hold(config);
    office->counts = (struct session_counts){0};
    list_init(&office->sessions);
    office->count = 0;
    office->out = (struct buf){0};
    office->draining = false;
    office->drained = NULL;
}

void session_office_reload(struct session_office *office, const struct config *config)
{
    const struct config *old = office->config;
    office->config = config_hold(config);
    config_drop(old);
}

void session_office_drain(struct session_office *office, void (*done)(void *owner), void *owner)
{
    office->draining = true;
    LIST_EACH (node, &office->sessions) {
        struct session *s = CONTAINER_OF(node, struct session, link);
        smtp_server_end(&s->server, smtp_answer(ANSWER_SHUTDOWN));
        session_go_on(s); /* its timer is shorter from now on */
    }
    if (office->count == 0) {
        done(owner);
        return;
    }
    office->drained = done;
    office->drained_owner = owner;
}

void session_office_done(struct session_office *office)
{
    buf_done(&office->out);
    config_drop(office->config);
    office->config = NULL;
}
