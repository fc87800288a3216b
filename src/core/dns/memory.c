#include "core/dns/memory.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct map_node node;
    struct list used;
    int64_t until_us;
    uint32_t ttl;
    uint16_t type;
    uint16_t message_len;
    uint16_t name_len;
    bool secure;
    char text[]; /* the name, then the message */
};

static struct str name_of(const struct entry *e)
{
    return str_from(e->text, e->name_len);
}

static size_t octets_of(const struct entry *e)
{
    return sizeof *e + e->name_len + e->message_len;
}

static void forget(struct dns_memory *memory, struct entry *e)
{
    map_remove(&memory->map, &e->node);
    list_remove(&e->used);
    memory->octets -= octets_of(e);
    free(e);
}

static uint64_t hash_of(const struct dns_memory *memory, struct str name, uint16_t type)
{
    return hash_nocase(memory->seed, name) ^ hash_u64(type);
}

static struct entry *find(const struct dns_memory *memory, struct str name, uint16_t type)
{
    struct map_node *node = map_find(&memory->map, hash_of(memory, name, type));
    for (; node; node = map_find_next(node)) {
        struct entry *e = CONTAINER_OF(node, struct entry, node);
        if (e->type == type && str_eq_nocase(name_of(e), name)) {
            return e;
        }
    }
    return NULL;
}

void dns_memory_init(struct dns_memory *memory, struct hash_seed seed)
{
    *memory = (struct dns_memory){.seed = seed};
    list_init(&memory->used);
}

void dns_memory_done(struct dns_memory *memory)
{
    LIST_EACH (node, &memory->used) {
        forget(memory, CONTAINER_OF(node, struct entry, used));
    }
    map_done(&memory->map);
}

bool dns_memory_find(struct dns_memory *memory, struct str name, uint16_t type, int64_t now_us,
                     struct dns_kept *found)
{
    struct entry *e = find(memory, name, type);
    if (!e) {
        return false;
    }
    if (e->until_us <= now_us) {
        forget(memory, e);
        return false;
    }
    list_remove(&e->used);
    list_prepend(&memory->used, &e->used);
    *found = (struct dns_kept){str_from(e->text + e->name_len, e->message_len), e->secure, e->ttl};
    return true;
}

static struct entry *new_entry(struct str name, uint16_t type, const struct dns_kept *answer)
{
    struct entry *e = malloc(sizeof *e + name.len + answer->message.len);
    if (!e) {
        return NULL;
    }
    *e = (struct entry){
        .type = type,
        .secure = answer->secure,
        .ttl = answer->ttl < UINT32_MAX ? (uint32_t)answer->ttl : UINT32_MAX,
        .name_len = (uint16_t)name.len,
        .message_len = (uint16_t)answer->message.len,
    };
    if (name.len > 0) {
        memcpy(e->text, name.ptr, name.len);
    }
    memcpy(e->text + name.len, answer->message.ptr, answer->message.len);
    return e;
}

void dns_memory_keep(struct dns_memory *memory, struct str name, uint16_t type,
                     const struct dns_kept *answer, int64_t now_us)
{
    size_t len = answer->message.len;
    if (answer->ttl <= 0 || len == 0 || len > DNS_MEMORY_MESSAGE_MAX || name.len > UINT16_MAX) {
        return;
    }
    struct entry *before = find(memory, name, type);
    if (before) {
        forget(memory, before);
    }
    struct entry *e = new_entry(name, type, answer);
    if (!e) {
        return;
    }
    int64_t age = DNS_MEMORY_AGE_MAX_US;
    e->until_us = now_us + (answer->ttl < age / 1000000 ? answer->ttl * 1000000 : age);
    if (!map_insert(&memory->map, &e->node, hash_of(memory, name, type))) {
        free(e);
        return;
    }
    list_prepend(&memory->used, &e->used);
    memory->octets += octets_of(e);
    while (memory->octets > DNS_MEMORY_OCTETS_MAX) {
        forget(memory, CONTAINER_OF(memory->used.prev, struct entry, used));
    }
}
