#include "path/accept/crowd.h"

enum { V6_NETWORK_OCTETS = 8 };

struct spots {
    atomic_uint *first, *second;
};

void crowd_init(struct crowd *c, struct hash_seed seed)
{
    c->seed = seed;
}

static struct spots spots_of(struct crowd *c, struct ip client)
{
    size_t octets = client.family == IP_V6 ? V6_NETWORK_OCTETS : 4;
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

bool crowd_enter(struct crowd *c, struct ip client, uint32_t most, uint32_t most_each)
{
    bool known = client.family != IP_NONE; /* a local socket's client has no address */
    struct spots spots = known ? spots_of(c, client) : (struct spots){0};
    if (atomic_fetch_add(&c->total, 1) >= most) {
        atomic_fetch_sub(&c->total, 1);
        return false;
    }
    if (known && add(spots) >= most_each && most_each > 0) {
        subtract(spots);
        atomic_fetch_sub(&c->total, 1);
        return false;
    }
    return true;
}

void crowd_leave(struct crowd *c, struct ip client)
{
    if (client.family != IP_NONE) {
        subtract(spots_of(c, client));
    }
    atomic_fetch_sub(&c->total, 1);
}
