#include "config/user_limit_keys.h"

#include <stdlib.h>

#define AT(field) .offset = offsetof(struct config_user_limits, field)
#define AN_HOUR(kind) AT(an_hour.of[kind]), .most = BUCKET_LIMIT_MAX

/* A user's own line says only what is different; the rest is as for everybody, which may stand
 * below. */
static const struct config_user_limits unsaid = {
    .an_hour = {{UINT32_MAX, UINT32_MAX}},
    .size = UINT64_MAX,
};

static const struct key own_keys[] = {
    {.name = "messages", .read = read_count, AN_HOUR(ALLOWANCE_MESSAGES)},
    {.name = "recipients", .read = read_count, AN_HOUR(ALLOWANCE_RECIPIENTS)},
    {.name = "size", .read = read_size, AT(size)},
    {0},
};

static void fill_up(struct config_user_limits *own, const struct config_user_limits *all)
{
    for (size_t i = 0; i < ALLOWANCE_KINDS; i++) {
        bool said = own->an_hour.of[i] != unsaid.an_hour.of[i];
        own->an_hour.of[i] = said ? own->an_hour.of[i] : all->an_hour.of[i];
    }
    own->size = own->size != unsaid.size ? own->size : all->size;
}

static int by_user(const void *a, const void *b)
{
    const struct config_user_limits *x = a, *y = b;
    return str_cmp(x->user, y->user);
}

static void read_for(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    struct config *c = r->config;
    struct node_map map;
    const yaml_node_t *name, *limits;
    (void)key;
    (void)into;
    if (!node_map(r, value, "a map from users to limits", &map)) {
        return;
    }
    c->limited_users =
        arena_array(&c->arena, (size_t)(map.end - map.first) + 1, sizeof *c->limited_users);
    if (!c->limited_users) {
        return;
    }
    while (node_map_next(&map, &name, &limits)) {
        struct config_user_limits *own = &c->limited_users[c->limited_user_count++];
        *own = unsaid;
        struct allowance_name compared = allowance_name(key_text(name));
        own->user = arena_copy(&c->arena, str_from(compared.text, compared.len));
        read_keys(r, limits, own_keys, own);
    }
    qsort(c->limited_users, c->limited_user_count, sizeof *c->limited_users, by_user);
    for (size_t i = 1; i < c->limited_user_count; i++) {
        if (str_eq(c->limited_users[i - 1].user, c->limited_users[i].user)) {
            node_wrong(r, value, "%.*s is there twice", STR_ARG(c->limited_users[i].user));
        }
    }
}

static const struct key limit_keys[] = {
    {.name = "messages", .read = read_count, AN_HOUR(ALLOWANCE_MESSAGES)},
    {.name = "recipients", .read = read_count, AN_HOUR(ALLOWANCE_RECIPIENTS)},
    {.name = "size", .read = read_size, AT(size)},
    {.name = "for", .read = read_for},
    {0},
};

void read_user_limits(struct reader *r, const yaml_node_t *value, const struct key *key, void *into)
{
    struct config *c = r->config;
    (void)key;
    (void)into;
    read_keys(r, value, limit_keys, &c->user_limits);
    for (size_t i = 0; i < c->limited_user_count; i++) {
        fill_up(&c->limited_users[i], &c->user_limits);
    }
}
