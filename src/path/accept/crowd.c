#include "path/accept/crowd.h"

enum { V4_OCTETS = 4, V6_CLIENT_OCTETS = 8, V6_SITE_OCTETS = 6 };

struct spots {
    atomic_uint *first, *second;
};

void crowd_init(struct crowd *c, struct hash_seed seed)
{
    c->seed = seed;
}

static struct spots spots_of(struct crowd *c, struct ip client, size_t octets)
{
    uint64_t hash = hash_bytes(c->seed, str_from((const char *)client.bytes, octets));
    size_t first = hash % CROWD_PLACES, second = (hash >> 32) % CROWD_PLACES;
    second = second == first ? (second + 1) % CROWD_PLACES : second;
    return (struct spots){&c->places[first], &c->places[second]};
}

/* Adds one and tells how many there were. Loops that do so at once each see their own addition, so
 * that no more than the limit ever stay. */
static uint32_t add(struct spots spots)
{
    uint32_t first = atomic_fetch_add(spots.first, 1), second = atomic_fetch_add(spots.second, 1);
    return first < second ? first : second;
}

static void subtract(struct spots spots)
{
    atomic_fetch_sub(spots.first, 1);
    atomic_fetch_sub(spots.second, 1);
}

/* A local socket's client has no address. */
void crowd_forget(struct crowd *c, struct ip client)
{
    if (client.family == IP_V4) {
        subtract(spots_of(c, client, V4_OCTETS));
    } else if (client.family == IP_V6) {
        subtract(spots_of(c, client, V6_CLIENT_OCTETS));
        subtract(spots_of(c, client, V6_SITE_OCTETS));
    }
}

/* False: one too many; it is counted all the same. */
static bool count(struct crowd *c, struct ip client, uint32_t most_each)
{
    bool within = true;
    uint64_t most = most_each > 0 ? most_each : UINT64_MAX;
    if (client.family == IP_V4) {
        within = add(spots_of(c, client, V4_OCTETS)) < most;
    } else if (client.family == IP_V6) {
        uint64_t most_site = most_each > 0 ? most * CROWD_CLIENTS_EACH : most;
        within = add(spots_of(c, client, V6_CLIENT_OCTETS)) < most;
        within = add(spots_of(c, client, V6_SITE_OCTETS)) < most_site && within;
    }
    return within;
}

enum crowd_answer crowd_enter(struct crowd *c, struct ip client, uint32_t most, uint32_t most_each)
{
    if (atomic_fetch_add(&c->total, 1) >= most) {
        crowd_leave(c);
        return CROWD_FULL;
    }
    if (!count(c, client, most_each)) {
        crowd_leave(c);
        crowd_forget(c, client);
        return CROWD_TOO_MANY;
    }
    return CROWD_IN;
}

void crowd_leave(struct crowd *c)
{
    atomic_fetch_sub(&c->total, 1);
}
