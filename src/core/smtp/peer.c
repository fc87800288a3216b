#include "core/smtp/peer.h"

static void learn_size(struct smtp_peer *peer, struct str params)
{
    uint64_t limit;
    if (str_to_u64(str_split(&params, ' '), UINT64_MAX, &limit)) {
        peer->size_limit = limit;
    }
}

/* "RCPTMAX=100 MAILMAX=10" */
static void learn_limits(struct smtp_peer *peer, struct str params)
{
    while (params.len > 0) {
        struct str value = str_split(&params, ' ');
        struct str name = str_split(&value, '=');
        uint64_t number;
        if (!str_to_u64(value, UINT32_MAX, &number) || number == 0) {
            continue;
        }
        if (str_eq_nocase(name, STR("RCPTMAX"))) {
            peer->rcpt_max = (uint32_t)number;
        } else if (str_eq_nocase(name, STR("MAILMAX"))) {
            peer->mail_max = (uint32_t)number;
        }
    }
}

/* "60", perhaps with ",token" for what is to come. */
static void learn_by(struct smtp_peer *peer, struct str params)
{
    uint64_t seconds;
    if (str_to_u64(str_split(&params, ','), UINT32_MAX, &seconds)) {
        peer->by_min = (uint32_t)seconds;
    }
}

void peer_learn(struct smtp_peer *peer, struct str line)
{
    static const struct {
        struct str keyword;
        enum peer_extension extension;
        void (*learn)(struct smtp_peer *peer, struct str params);
    } table[] = {
        {STR_INIT("PIPELINING"), PEER_PIPELINING, NULL},
        {STR_INIT("8BITMIME"), PEER_8BITMIME, NULL},
        {STR_INIT("SMTPUTF8"), PEER_SMTPUTF8, NULL},
        {STR_INIT("DSN"), PEER_DSN, NULL},
        {STR_INIT("CHUNKING"), PEER_CHUNKING, NULL},
        {STR_INIT("BINARYMIME"), PEER_BINARYMIME, NULL},
        {STR_INIT("ENHANCEDSTATUSCODES"), PEER_STATUS_CODES, NULL},
        {STR_INIT("SIZE"), PEER_SIZE, learn_size},
        {STR_INIT("LIMITS"), PEER_LIMITS, learn_limits},
        {STR_INIT("STARTTLS"), PEER_STARTTLS, NULL},
        {STR_INIT("REQUIRETLS"), PEER_REQUIRETLS, NULL},
        {STR_INIT("MT-PRIORITY"), PEER_PRIORITY, NULL},
        {STR_INIT("DELIVERBY"), PEER_DELIVERBY, learn_by},
    };
    struct str params = str_trim(line);
    struct str keyword = str_split(&params, ' ');
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (str_eq_nocase(keyword, table[i].keyword)) {
            peer->extensions |= table[i].extension;
            if (table[i].learn) {
                table[i].learn(peer, params);
            }
        }
    }
}
