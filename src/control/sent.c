#include "control/sent.h"

#include "control/answer.h"

#include <stdlib.h>

static const char *const kinds[ALLOWANCE_KINDS] = {
    [ALLOWANCE_MESSAGES] = "messages",
    [ALLOWANCE_RECIPIENTS] = "recipients",
};

struct sent_user {
    struct str name;
    uint32_t used[ALLOWANCE_KINDS]; /* or reserved */
    const struct config_user_limits *limits;
    uint32_t share; /* of the limit that is used most, in thousandths */
};

static struct sent_user user_of(const struct config *config, const struct allowance_state *state)
{
    struct sent_user user = {.name = state->user,
                             .limits = config_find_user_limits(config, state->user)};
    for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
        uint64_t used = (uint64_t)state->used.of[i] + state->reserved.of[i];
        uint32_t limit = user.limits->an_hour.of[i];
        uint64_t share = limit > 0 ? used * 1000 / limit : 0;
        user.used[i] = (uint32_t)(used < UINT32_MAX ? used : UINT32_MAX);
        share = share < UINT32_MAX ? share : UINT32_MAX;
        user.share = share > user.share ? (uint32_t)share : user.share;
    }
    return user;
}

static int nearest_first(const void *a, const void *b)
{
    const struct sent_user *x = a, *y = b;
    return x->share != y->share ? (x->share < y->share ? 1 : -1) : str_cmp(x->name, y->name);
}

void sent_open(struct sent *sent, struct str user, size_t limit)
{
    struct allowances *all = sent->allowances;
    struct allowance_state nothing = {.user = user};
    struct allowance_state *states = NULL;
    size_t count = 0, most = limit > 0 ? limit : SENT_USERS;
    if (all) {
        states = all->list(all, user, &sent->arena, &count);
    }
    if (user.len > 0 && count == 0) { /* known or not: he has sent nothing */
        states = &nothing;
        count = 1;
    }
    sent->users = arena_array(&sent->arena, count + 1, sizeof *sent->users);
    for (; sent->users && sent->count < count; sent->count++) {
        sent->users[sent->count] = user_of(sent->config, &states[sent->count]);
    }
    if (sent->users) {
        qsort(sent->users, sent->count, sizeof *sent->users, nearest_first);
    }
    sent->more = sent->count > most;
    sent->count = sent->more ? most : sent->count;
}

static json_t *counted(uint32_t used, uint32_t limit)
{
    if (limit == 0) {
        return json_pack("{s:i, s:n, s:n}", "used", 0, "limit", "left");
    }
    return json_pack("{s:I, s:I, s:I}", "used", (json_int_t)used, "limit", (json_int_t)limit,
                     "left", (json_int_t)(used < limit ? limit - used : 0));
}

json_t *sent_next(struct sent *sent)
{
    if (sent->next >= sent->count) {
        return NULL;
    }
    const struct sent_user *user = &sent->users[sent->next++];
    const struct config_user_limits *limits = user->limits;
    uint64_t most = sent->config->limits.message;
    uint64_t size = limits->size > 0 && limits->size < most ? limits->size : most;
    json_t *line = json_object();
    json_object_set_new(line, "name", answer_text(user->name));
    for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
        json_object_set_new(line, kinds[i], counted(user->used[i], limits->an_hour.of[i]));
    }
    json_object_set_new(line, "size", json_integer((json_int_t)size));
    return json_pack("{s:o}", "user", line);
}

void sent_done(struct sent *sent)
{
    arena_done(&sent->arena);
}
