#include "path/queue/site.h"

#include "path/queue/schedule.h"

#include <stdlib.h>
#include <string.h>

void sites_done(struct sites *sites)
{
    struct map_iter it = map_begin(&sites->by_name);
    for (struct map_node *n; (n = map_next(&it)) != NULL;) {
        struct site *site = CONTAINER_OF(n, struct site, node);
        heap_done(&site->waiting);
        free(site);
    }
    map_done(&sites->by_name);
    heap_done(&sites->wake);
}

struct site *site_find(const struct sites *sites, struct str name)
{
    struct map_node *n = map_find(&sites->by_name, hash_bytes(sites->seed, name));
    for (; n; n = map_find_next(n)) {
        struct site *site = CONTAINER_OF(n, struct site, node);
        if (str_eq(site->name, name)) {
            return site;
        }
    }
    return NULL;
}

static uint32_t first_window(const struct site *site)
{
    return site->local || site->limit < SITE_WINDOW_FIRST ? site->limit : SITE_WINDOW_FIRST;
}

struct site *site_take(struct sites *sites, struct str name, uint32_t limit, bool local)
{
    struct site *site = site_find(sites, name);
    limit = limit > 0 ? limit : 1;
    if (site) {
        site->limit = limit;
        site->window = site->window < limit ? site->window : limit;
        return site;
    }
    site = calloc(1, sizeof *site + name.len + 1);
    if (!site || !map_insert(&sites->by_name, &site->node, hash_bytes(sites->seed, name))) {
        free(site);
        return NULL;
    }
    char *text = (char *)(site + 1);
    memcpy(text, name.ptr, name.len);
    site->name = str_from(text, name.len);
    site->limit = limit;
    site->local = local;
    site->window = first_window(site);
    return site;
}

bool site_is_down(const struct site *site, struct instant now)
{
    return instant_before(now, site->retry_at);
}

void site_settle(struct sites *sites, struct site *site, struct instant now)
{
    if (site->running > 0 || site->reserved > 0 || site->waiting.count > 0 ||
        site_is_down(site, now)) {
        return;
    }
    sites->down -= site->retry_at.us != 0;
    heap_remove(&sites->wake, &site->wake);
    map_remove(&sites->by_name, &site->node);
    heap_done(&site->waiting);
    free(site);
}

bool site_has_room(const struct site *site, struct instant now)
{
    return site->running + site->reserved < site->window && !site_is_down(site, now);
}

void site_start(struct site *site)
{
    site->running++;
}

static void note_error(struct site *site, struct str error)
{
    site->error_len = error.len < sizeof site->error ? error.len : sizeof site->error;
    while (site->error_len < error.len && site->error_len > 0 &&
           ((unsigned char)error.ptr[site->error_len] & 0xc0) == 0x80) {
        site->error_len--; /* not in the middle of a UTF-8 character */
    }
    if (site->error_len > 0) {
        memcpy(site->error, error.ptr, site->error_len);
    }
}

static void up(struct sites *sites, struct site *site)
{
    if (site->retry_at.us != 0) {
        sites->down--;
        site->window = first_window(site);
    }
    site->retry_at = (struct instant){0};
    site->failures = 0;
    heap_remove(&sites->wake, &site->wake);
}

static void down(struct sites *sites, struct site *site, const struct site_result *result,
                 struct instant retry_at)
{
    sites->down += site->retry_at.us == 0;
    site->failed_at = result->now;
    site->retry_at = retry_at;
    site->window = 1;
    site->broken = 0;
    heap_remove(&sites->wake, &site->wake);
    if (!heap_push(&sites->wake, &site->wake, retry_at.us)) {
        site->retry_at = (struct instant){0}; /* nobody would wake it: leave it open */
        sites->down--;
    }
}

static void halve(struct site *site)
{
    site->window = site->window > 1 ? site->window / 2 : 1;
}

void site_ended(struct sites *sites, struct site *site, const struct site_result *result,
                const struct config_queue *config, struct entropy *entropy)
{
    site->running--;
    if (result->sign == SITE_FINE) {
        up(sites, site);
        site->broken = 0;
        site->window += site->window < site->limit;
        return;
    }
    if (result->sign == SITE_NOTHING) {
        return;
    }
    halve(site);
    note_error(site, result->error);
    if (result->sign == SITE_BUSY) {
        return;
    }
    site->broken += result->sign == SITE_BROKEN;
    if (result->sign == SITE_BROKEN && site->broken < SITE_BROKEN_MAX && site->failures == 0) {
        return;
    }
    if (site_is_down(site, result->now) && instant_before(result->started, site->failed_at)) {
        return; /* several were under way when it went down: that is one failure */
    }
    site->failures++;
    if (site->failures <= result->failures) {
        site->failures = result->failures + 1;
    }
    down(sites, site, result, schedule_next(config, site->failures, result->now, entropy));
}

void site_lift(struct sites *sites, struct site *site)
{
    if (site->retry_at.us != 0) {
        up(sites, site);
        site->window = 1;
    }
}

bool site_wait(struct site *site, struct heap_node *waiter, int priority, struct instant now)
{
    site->last_us = now.us > site->last_us ? now.us : site->last_us + 1; /* the clock may be set */
    return heap_push(&site->waiting, waiter, priority_key(priority, site->last_us));
}

void site_unwait(struct site *site, struct heap_node *waiter)
{
    heap_remove(&site->waiting, waiter);
}

struct heap_node *site_next(struct site *site, struct instant now)
{
    struct heap_node *first = heap_min(&site->waiting);
    if (!first || !site_has_room(site, now)) {
        return NULL;
    }
    heap_remove(&site->waiting, first);
    site->reserved++;
    return first;
}

void site_promise_back(struct site *site)
{
    site->reserved--;
}
