/* house.h: a configuration to route by. */
#pragma once

#include "config/config.h"

static struct alias_target house_team[] = {
    {ALIAS_ADDRESS, STR_INIT("ann")},
    {ALIAS_ADDRESS, STR_INIT("Bob@elsewhere.example")},
    {ALIAS_ADDRESS, STR_INIT("bob@Elsewhere.example")},
    {ALIAS_FILE, STR_INIT("/var/mail/archive")},
    {ALIAS_FILE, STR_INIT("/VAR/mail/archive")},
    {ALIAS_PIPE, STR_INIT("|/bin/filter -x")},
    {ALIAS_PIPE, STR_INIT("/bin/filter -x")},
    {ALIAS_ADDRESS, STR_INIT("\\carl")},
    {ALIAS_ADDRESS, STR_INIT("Ann@example.org")},
    {ALIAS_ADDRESS, STR_INIT("team")},
    {ALIAS_ADDRESS, STR_INIT("\"a@b\"")},
};
static struct alias_target house_owner[] = {{ALIAS_ADDRESS, STR_INIT("ann")}};
static struct alias_target house_bob[] = {{ALIAS_ADDRESS, STR_INIT("\\bob")},
                                          {ALIAS_ADDRESS, STR_INIT("bob@elsewhere.example")}};
static struct alias house_aliases[] = {
    {STR_INIT("bob"), house_bob, 2},
    {STR_INIT("empty"), NULL, 0},
    {STR_INIT("full@example.org"), house_owner, 1},
    {STR_INIT("owner-team"), house_owner, 1},
    {STR_INIT("team"), house_team, 11},
};
static struct config_user house_users[] = {
    {STR_INIT("ann"), STR_INIT("Ann")},
    {STR_INIT("bob"), STR_INIT("")},
    {STR_INIT("c+c"), STR_INIT("")},
};
static struct config_user house_catch_users[] = {{STR_INIT("user"), STR_INIT("")}};
static struct str house_argv[] = {STR_INIT("/bin/lda"), STR_INIT("-d"),
                                  STR_INIT("{local}@{domain}"), STR_INIT("{sender}")};

/* Sorted by name. */
static struct config_domain house_domains[] = {
    {.name = STR_INIT("any.example"),
     .mailboxes = {.kind = MAILBOX_PIPE, .argv = house_argv, .argc = 4},
     .any_user = true,
     .tag_separator = '+'},
    {.name = STR_INIT("catch.example"),
     .mailboxes = {.kind = MAILBOX_LMTP, .host = STR_INIT("127.0.0.1"), .port = 2424},
     .users = house_catch_users,
     .user_count = 1,
     .catch_all = STR_INIT("ann@example.org"),
     .tag_separator = '-'},
    {.name = STR_INIT("example.org"),
     .mailboxes = {.kind = MAILBOX_MAILDIR, .path = STR_INIT("/srv/{domain}/{local}/")},
     .users = house_users,
     .user_count = 3,
     .aliases = house_aliases,
     .alias_count = 5,
     .tag_separator = '+'},
    {.name = STR_INIT("xn--bcher-kva.example"),
     .mailboxes = {.kind = MAILBOX_MBOX, .path = STR_INIT("/var/mail/{local}")},
     .any_user = true},
};
static struct config_transport house_transports[] = {
    {.match = STR_INIT("smart.example"),
     .kind = TRANSPORT_SMTP,
     .host = STR_INIT("relay.example"),
     .port = 2525,
     .path = STR_INIT("")},
    {.match = STR_INIT(".smart.example"),
     .kind = TRANSPORT_SMTP,
     .host = STR_INIT("[192.0.2.9]"),
     .port = 0,
     .path = STR_INIT("")},
    {.match = STR_INIT("lmtp.example"),
     .kind = TRANSPORT_LMTP,
     .host = STR_INIT("lmtp.host.example"),
     .port = 0,
     .path = STR_INIT("")},
    {.match = STR_INIT("socket.example"),
     .kind = TRANSPORT_LMTP_LOCAL,
     .host = STR_INIT(""),
     .port = 0,
     .path = STR_INIT("/run/lmtp")},
    {.match = STR_INIT("asmx.example"),
     .kind = TRANSPORT_MX,
     .host = STR_INIT("other.example"),
     .port = 0,
     .path = STR_INIT("")},
    {.match = STR_INIT("hole.example"),
     .kind = TRANSPORT_DISCARD,
     .host = STR_INIT(""),
     .port = 0,
     .path = STR_INIT("")},
    {.match = STR_INIT("closed.example"),
     .kind = TRANSPORT_ERROR,
     .host = STR_INIT("closed for good"),
     .port = 0,
     .path = STR_INIT("")},
    {.match = STR_INIT("example.org"),
     .kind = TRANSPORT_DISCARD,
     .host = STR_INIT(""),
     .port = 0,
     .path = STR_INIT("")}, /* ours: unused */
};
static struct config_listen house_listens[] = {
    {.at = {.ip = {IP_V4, {192, 0, 2, 25}}, .port = 25}, .kind = {.mode = LISTEN_MX}}};

static const struct config house = {
    .hostname = STR_INIT("mx.example.org"),
    .domains = house_domains,
    .domain_count = 4,
    .transports = house_transports,
    .transport_count = 8,
    .listens = house_listens,
    .listen_count = 1,
    .deliver = {.port = 25},
};
