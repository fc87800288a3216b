/* dns: answers at once. Every name has the address 127.0.0.1, but siteN.example has one of its own
 * (127.64 + N) and is its own MX; there is no IPv6, nor any name of an address. No real name server
 * would be quicker, so that none is in the way.
 *
 *   dns ADDRESS:PORT */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { A = 1, SOA = 6, PTR = 12, MX = 15, HEADER = 12 };

struct message {
    uint8_t bytes[1024];
    size_t len;
};

static void put16(struct message *m, unsigned value)
{
    m->bytes[m->len++] = (uint8_t)(value >> 8);
    m->bytes[m->len++] = (uint8_t)value;
}

/* A record of the name asked for, up to its data. */
static void record(struct message *m, unsigned type, unsigned data_len)
{
    put16(m, 0xc000 + HEADER);
    put16(m, type);
    put16(m, 1);
    put16(m, 0);
    put16(m, 3600);
    put16(m, data_len);
}

static uint32_t address_for(const char *label)
{
    if (!strncmp(label, "site", 4))
        return 0x7f400000u + (uint32_t)strtoul(label + 4, NULL, 10) % 0x1fffffu + 1;
    return INADDR_LOOPBACK;
}

/* False: not a question that we answer. */
static bool answer(struct message *m, size_t len)
{
    char first[64] = "";
    size_t at = HEADER;
    while (at < len && m->bytes[at]) {
        if (at == HEADER && m->bytes[at] < sizeof(first) && at + 1u + m->bytes[at] < len)
            memcpy(first, m->bytes + at + 1, m->bytes[at]);
        at += m->bytes[at] + 1u;
    }
    if (at + 5 > len || len > 512)
        return false;
    unsigned type = (unsigned)m->bytes[at + 1] << 8 | m->bytes[at + 2];
    m->len = at + 5;
    bool site = !strncmp(first, "site", 4);
    bool found = type == A || (type == MX && site);
    m->bytes[2] = 0x84 | (m->bytes[2] & 1);
    m->bytes[3] = type == PTR ? 0x83 : 0x80;
    memset(m->bytes + 6, 0, 6);
    m->bytes[found ? 7 : 9] = 1;
    if (type == A) {
        uint32_t ip = htonl(address_for(first));
        record(m, A, 4);
        memcpy(m->bytes + m->len, &ip, 4);
        m->len += 4;
    } else if (found) {
        record(m, MX, 4);
        put16(m, 10);
        put16(m, 0xc000 + HEADER);
    } else {
        record(m, SOA, 24);
        put16(m, 0xc000 + HEADER);
        put16(m, 0xc000 + HEADER);
        for (int i = 0; i < 5; i++) {
            put16(m, 0);
            put16(m, 3600);
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    errno = 0;
    if (argc != 2)
        die("dns ADDRESS:PORT");
    struct sockaddr_in at = address_of(argv[1]), from;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int room = 4 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
        die("bind");
    for (;;) {
        struct message m;
        socklen_t from_len = sizeof(from);
        ssize_t got =
            recvfrom(fd, m.bytes, sizeof(m.bytes), 0, (struct sockaddr *)&from, &from_len);
        if (got > HEADER && answer(&m, (size_t)got))
            sendto(fd, m.bytes, m.len, 0, (struct sockaddr *)&from, from_len);
    }
}
