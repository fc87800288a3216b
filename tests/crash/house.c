#include "crash/house.h"

#include "crash/trouble.h"

static const char config_one[] = "hostname: mx.one.example\n"
                                 "spool: {path: /spool}\n"
                                 "listen: [{address: \"192.0.2.1:25\", mode: mx, tls: none}]\n"
                                 "networks: [\"198.51.100.0/24\"]\n"
                                 "dns: {servers: [\"192.0.2.53@53\"]}\n"
                                 "domains:\n"
                                 "  one.example:\n"
                                 "    mailboxes: \"maildir:/mail/{domain}/{local}/\"\n"
                                 "    users: [u1, u2, s1, s2, all]\n"
                                 "queue: {retry: [1s, 2s, 5s, 10s, 20s], expire: 5m,"
                                 " delay_notice: 45s}\n";

static const char config_two[] = "hostname: mx.two.example\n"
                                 "spool: {path: /spool}\n"
                                 "listen: [{address: \"192.0.2.2:25\", mode: mx, tls: none}]\n"
                                 "networks: [\"198.51.100.0/24\"]\n"
                                 "dns: {servers: [\"192.0.2.53@53\"]}\n"
                                 "domains:\n"
                                 "  two.example:\n"
                                 "    mailboxes: \"maildir:/mail/{domain}/{local}/\"\n"
                                 "    users: [u1, u2, s1, s2]\n"
                                 "queue: {retry: [1s, 3s, 5s, 10s, 20s], expire: 5m,"
                                 " delay_notice: 0s}\n";

static void make_zone(struct zone *z)
{
    static const char *const lines[] = {
        "one.example MX 10 mx.one.example",   "mx.one.example A 192.0.2.1",
        "two.example MX 10 mx.two.example",   "two.example MX 5 off.two.example",
        "mx.two.example A 192.0.2.2",         "off.two.example A 192.0.2.99",
        "good.example MX 10 mx.good.example", "mx.good.example A 203.0.113.1",
        "flaky.example A 203.0.113.2",        "lying.example MX 0 mx.lying.example",
        "mx.lying.example A 203.0.113.3",     "dead.example MX 10 mx.dead.example",
        "mx.dead.example A 203.0.113.4",      "never.example MX 10 mx.never.example",
        "mx.never.example A 203.0.113.5",     "yes.example A 203.0.113.6",
    };
    z->chase = true;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        zone_add(z, lines[i]);
    }
}

static void make_machines(struct house *h)
{
    static const char *const names[MACHINES] = {"one.example", "two.example"};
    static const char *const texts[MACHINES] = {config_one, config_two};
    static const char *const addresses[MACHINES] = {"192.0.2.1", "192.0.2.2"};
    for (size_t i = 0; i < MACHINES; i++) {
        struct machine *m = &h->machines[i];
        m->name = names[i];
        m->config_text = texts[i];
        m->zone = &h->zone;
        m->ledger = &h->ledger;
        machine_init(m, &h->world, &h->wire, addresses[i]);
        machine_start(m);
    }
}

static void make_peers(struct house *h)
{
    static const char *const addresses[PEERS] = {"203.0.113.1", "203.0.113.2", "203.0.113.3"};
    static const enum temper tempers[PEERS] = {TEMPER_GOOD, TEMPER_MOODY, TEMPER_LYING};
    for (size_t i = 0; i < PEERS; i++) {
        struct peer *p = &h->peers[i];
        p->ledger = &h->ledger;
        p->temper = tempers[i];
        p->open_most = 12; /* a machine's 3, and as many that end or that a crash left */
        p->connection_most = 5;
        p->rcpts_most = 2;
        peer_init(p, &h->world, &h->wire, addresses[i]);
    }
}

static void make_hostiles(struct house *h)
{
    static const char *const addresses[HOSTILES] = {"203.0.113.5", "203.0.113.6"};
    for (size_t i = 0; i < HOSTILES; i++) {
        hostile_init(&h->hostiles[i], &h->world, &h->wire, addresses[i]);
        h->hostiles[i].says_yes = i == 1;
    }
}

static void make_clients(struct house *h)
{
    static const char *const addresses[CLIENTS] = {"198.51.100.1", "198.51.100.2", "198.51.100.3",
                                                   "198.51.100.4"};
    for (size_t i = 0; i < CLIENTS; i++) {
        struct client *c = &h->clients[i];
        c->ledger = &h->ledger;
        c->home = h->machines[i % MACHINES].name;
        c->left = 2 + (unsigned)sim_below(&h->world, 6);
        client_init(c, &h->world, &h->wire, addresses[i]);
        c->server = (struct endpoint){h->machines[i % MACHINES].host.ip4, 25};
        client_start(c);
    }
}

static bool at_rest(const struct house *h)
{
    bool rest = true;
    for (size_t i = 0; i < CLIENTS; i++) {
        rest = rest && client_done(&h->clients[i]);
    }
    for (size_t i = 0; i < MACHINES; i++) {
        rest = rest && machine_idle(&h->machines[i]);
    }
    return rest;
}

static void run_until(struct house *h, int64_t until, bool rest_ends)
{
    uint64_t looked = 0;
    while (sim_step(&h->world, until)) {
        for (size_t i = 0; i < MACHINES; i++) {
            machine_look(&h->machines[i]);
        }
        if (h->wire.unsent_most > 4 * 65536) {
            trouble("somebody had %zu octets unsent", h->wire.unsent_most);
        }
        if (rest_ends && ++looked % 64 == 0 && at_rest(h)) {
            return;
        }
    }
}

void house_run(struct house *h, uint64_t seed)
{
    sim_world_init(&h->world, seed);
    run_now.world = &h->world;
    sim_loop_init(&h->loop, &h->world);
    sim_wire_init(&h->wire, &h->loop.timers);
    make_zone(&h->zone);
    sim_fault(&h->wire, "203.0.113.4:25")->silent = true;
    make_machines(h);
    make_peers(h);
    make_hostiles(h);
    make_clients(h);
    chaos_start(h);
    run_until(h, SPAN_S(70).us, false);
    chaos_end(h);
    run_until(h, SPAN_MIN(60).us, true);
    if (!at_rest(h)) {
        trouble("after an hour there is no rest");
    }
    run_until(h, h->world.now + SPAN_S(30).us, false);
    for (size_t i = 0; i < MACHINES; i++) {
        machine_count(&h->machines[i]);
    }
    ledger_settle(&h->ledger);
}
