#include "cli/why_history.h"

#include "control/answer.h"
#include "path/queue/history.h"
#include "world/log.h"
#include "world/loop.h"

#include <errno.h>

enum { STORIES_DEFAULT = 10 };

struct reading {
    const struct why_history *why;
    struct loop *loop;
    const struct ports *ports;
    struct history *history;
    struct disk_op stat;
    struct history_search search;
    struct str folder;
    size_t told;
    bool over;
    int result;
};

static void end(struct reading *r, int result)
{
    r->result = result;
    r->over = true;
    loop_stop(r->loop);
}

static bool on_story(struct history_search *search, const struct story *story)
{
    struct reading *r = CONTAINER_OF(search, struct reading, search);
    size_t limit = r->why->limit > 0 ? r->why->limit : STORIES_DEFAULT;
    struct instant now = r->ports->clock->wall(r->ports->clock);
    struct instant end_of_it = instant_add(story->finished, r->why->config->queue.history);
    if (instant_before(end_of_it, now)) {
        return true; /* it is only still there because the server does not run */
    }
    json_t *line = json_object();
    json_object_set_new(line, "story", answer_story(story, now));
    r->why->line(r->why->owner, line);
    json_decref(line);
    return ++r->told < limit;
}

static void on_searched(struct history_search *search)
{
    struct reading *r = CONTAINER_OF(search, struct reading, search);
    end(r, search->result);
}

/* Only a folder that is there is opened, and nothing in it is too old or too large: then history.h
 * neither makes nor removes anything. */
static void on_stat(struct disk_op *op)
{
    struct reading *r = CONTAINER_OF(op, struct reading, stat);
    struct str what = str_from_cstr(r->why->what);
    r->search = (struct history_search){.each = on_story, .done = on_searched};
    if (str_find(what, '@') != STR_NONE) {
        r->search.address = what;
    } else if (!queue_id_parse(what, &r->search.id) || r->search.id.value == 0) {
        end(r, -EINVAL);
        return;
    }
    r->history = op->result < 0 ? NULL : history_new(r->ports, r->folder);
    if (!r->history) {
        end(r, op->result < 0 ? (int)op->result : -ENOMEM);
        return;
    }
    history_bound(r->history, SPAN_D(36500), UINT64_MAX);
    history_find(r->history, &r->search);
}

int why_history(const struct why_history *why)
{
    struct arena arena = {0};
    struct log *log = log_new(2, LOG_STYLE_AUTO, LOG_ERROR);
    struct reading r = {.why = why, .result = -ENOMEM};
    r.folder = arena_format(&arena, "%.*s/history", STR_ARG(why->config->spool_path));
    r.loop = log && r.folder.ptr ? loop_new(log, NULL) : NULL;
    if (r.loop) {
        r.ports = loop_ports(r.loop);
        r.stat = (struct disk_op){.done = on_stat};
        r.ports->disk->stat(r.ports->disk, &r.stat, r.folder);
        while (!r.over) {
            loop_run(r.loop);
        }
    }
    history_free(r.history);
    loop_free(r.loop);
    if (log) {
        log_free(log);
    }
    arena_done(&arena);
    return r.result;
}
