#include "path/route/hop.h"

#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MAX = 64 };

static int by_preference_and_name(const void *left, const void *right)
{
    const struct hop_host *a = left;
    const struct hop_host *b = right;
    if (a->preference != b->preference) {
        return a->preference < b->preference ? -1 : 1;
    }
    return str_cmp(a->name, b->name);
}

/* The same hosts give the same site, whatever the lots among equals were. */
static bool set_site(struct next_hop *hop, const char *protocol, struct arena *arena)
{
    struct hop_host *sorted = arena_array(arena, hop->host_count, sizeof *sorted);
    if (!sorted) {
        return false;
    }
    memcpy(sorted, hop->hosts, hop->host_count * sizeof *sorted);
    qsort(sorted, hop->host_count, sizeof *sorted, by_preference_and_name);
    char room[256];
    struct buf site = BUF_IN(room);
    buf_join(&site, str_from_cstr(protocol), STR(":"));
    for (size_t i = 0; i < hop->host_count; i++) {
        buf_add(&site, i > 0 ? STR(",") : STR(""));
        buf_add(&site, sorted[i].name);
    }
    buf_add_char(&site, ':');
    buf_add_u64(&site, hop->port);
    hop->site = site.failed ? (struct str){0} : arena_copy(arena, buf_str(&site));
    buf_done(&site);
    return hop->site.ptr != NULL;
}

static const char *protocol_of(enum hop_kind kind)
{
    return kind == HOP_LMTP ? "lmtp" : "smtp";
}

bool hop_to_ip(struct next_hop *hop, struct ip ip, uint16_t port, struct arena *arena)
{
    char text[IP_TEXT_MAX];
    struct hop_host *host = ARENA_NEW(arena, struct hop_host);
    if (!host) {
        return false;
    }
    struct str address = ip_text(ip, text);
    host->literal = ip;
    host->name = arena_format(arena, "[%.*s]", STR_ARG(address));
    /* The kind may have been set by who asked: a literal can be an LMTP server too. */
    hop->hosts = host;
    hop->host_count = 1;
    hop->port = port;
    return host->name.ptr && set_site(hop, protocol_of(hop->kind), arena);
}

bool hop_to_host(struct next_hop *hop, enum hop_kind kind, struct str host, uint16_t port,
                 struct arena *arena)
{
    struct ip ip;
    struct str bare = host;
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
        bare = str_from(host.ptr + 1, host.len - 2);
    }
    if (str_starts_nocase(bare, STR("IPv6:"))) {
        bare = str_tail(bare, 5);
    }
    *hop = (struct next_hop){.kind = kind};
    if (ip_parse(bare, &ip)) {
        return hop_to_ip(hop, ip, port, arena);
    }
    hop->hosts = ARENA_NEW(arena, struct hop_host);
    if (!hop->hosts) {
        return false;
    }
    hop->hosts[0].name = arena_copy(arena, host);
    hop->host_count = 1;
    hop->port = port;
    hop->secure = true;
    return hop->hosts[0].name.ptr && set_site(hop, protocol_of(kind), arena);
}

bool hop_to_mx(struct next_hop *hop, const struct mx *mx, uint16_t port, struct arena *arena)
{
    *hop = (struct next_hop){
        .kind = HOP_SMTP, .port = port, .host_count = mx->host_count, .secure = mx->secure};
    hop->hosts = arena_array(arena, mx->host_count, sizeof *hop->hosts);
    if (!hop->hosts) {
        return false;
    }
    for (size_t i = 0; i < mx->host_count; i++) {
        hop->hosts[i].name = mx->hosts[i].name;
        hop->hosts[i].preference = mx->hosts[i].preference;
    }
    return set_site(hop, "smtp", arena);
}

bool hop_to_socket(struct next_hop *hop, struct str path, struct arena *arena)
{
    *hop = (struct next_hop){.kind = HOP_LMTP_LOCAL};
    hop->path = arena_copy(arena, path);
    hop->site = arena_format(arena, "lmtp:unix:%.*s", STR_ARG(path));
    return hop->path.ptr && hop->site.ptr;
}

void hop_to_nowhere(struct next_hop *hop)
{
    *hop = (struct next_hop){.kind = HOP_DISCARD, .site = STR("discard")};
}

static bool program(struct next_hop *hop, const struct config_mailboxes *mailboxes,
                    const struct template_values *values, struct arena *arena)
{
    *hop = (struct next_hop){.kind = HOP_PIPE, .site = STR("pipe"), .argc = mailboxes->argc};
    hop->argv = arena_array(arena, mailboxes->argc, sizeof *hop->argv);
    for (size_t i = 0; hop->argv && i < mailboxes->argc; i++) {
        /* Which program runs is the configuration's alone to say. */
        hop->argv[i] = i == 0 ? arena_copy(arena, mailboxes->argv[0])
                              : template_argument(mailboxes->argv[i], values, arena);
        if (!hop->argv[i].ptr) {
            return false;
        }
    }
    return hop->argv != NULL;
}

static bool system_user(struct next_hop *hop, struct str name, struct arena *arena)
{
    *hop = (struct next_hop){.kind = HOP_SYSTEM, .site = STR("system"), .argc = 2};
    hop->argv = arena_array(arena, hop->argc, sizeof *hop->argv);
    if (!hop->argv) {
        return false;
    }
    hop->argv[0] = STR("system");
    hop->argv[1] = arena_copy(arena, name);
    return hop->argv[1].ptr != NULL;
}

bool hop_to_mailbox(struct next_hop *hop, const struct config_mailboxes *mailboxes,
                    const struct template_values *values, struct arena *arena)
{
    struct str path = mailboxes->kind == MAILBOX_MBOX
                          ? template_file(mailboxes->path, values, arena)
                          : template_path(mailboxes->path, values, arena);
    if (mailboxes->path.len > 0 && !path.ptr) {
        return false;
    }
    switch (mailboxes->kind) {
    case MAILBOX_MAILDIR:
        *hop = (struct next_hop){.kind = HOP_MAILDIR, .site = STR("maildir"), .path = path};
        return true;
    case MAILBOX_MBOX:
        *hop = (struct next_hop){.kind = HOP_MBOX, .site = STR("mbox"), .path = path};
        return true;
    case MAILBOX_LMTP:
        return path.len > 0 ? hop_to_socket(hop, path, arena)
                            : hop_to_host(hop, HOP_LMTP, mailboxes->host, mailboxes->port, arena);
    case MAILBOX_PIPE:
        return program(hop, mailboxes, values, arena);
    case MAILBOX_SYSTEM:
        return system_user(hop, values->local, arena);
    case MAILBOX_DISCARD:
        break;
    }
    hop_to_nowhere(hop);
    return true;
}

bool hop_to_file_or_program(struct next_hop *hop, struct str target, struct arena *arena)
{
    if (str_starts(target, STR("/"))) {
        bool maildir = str_ends(target, STR("/"));
        *hop = (struct next_hop){.kind = maildir ? HOP_MAILDIR : HOP_MBOX,
                                 .site = maildir ? STR("maildir") : STR("mbox"),
                                 .path = arena_copy(arena, target)};
        return hop->path.ptr != NULL;
    }
    *hop = (struct next_hop){.kind = HOP_PIPE, .site = STR("pipe")};
    hop->argv = arena_array(arena, ARGUMENTS_MAX, sizeof *hop->argv);
    struct str rest = arena_copy(arena, str_tail(target, 1));
    while (hop->argv && rest.len > 0 && hop->argc < ARGUMENTS_MAX) {
        rest = str_trim(rest);
        size_t end = 0;
        while (end < rest.len && rest.ptr[end] != ' ' && rest.ptr[end] != '\t') {
            end++;
        }
        if (end > 0) {
            hop->argv[hop->argc++] = str_head(rest, end);
        }
        rest = str_tail(rest, end);
    }
    return hop->argv && hop->argc > 0;
}

struct str hop_describe(const struct next_hop *hop, struct arena *arena)
{
    static const char *const words[] = {
        [HOP_SMTP] = "by SMTP to",
        [HOP_LMTP] = "by LMTP to",
        [HOP_LMTP_LOCAL] = "by LMTP to",
        [HOP_MAILDIR] = "into the Maildir",
        [HOP_MBOX] = "onto the mbox",
        [HOP_PIPE] = "to the program",
        [HOP_DISCARD] = "nowhere: thrown away, as configured",
        [HOP_SYSTEM] = "by the postman, to the user of this",
    };
    struct buf text = {0};
    buf_add_format(&text, "%s", words[hop->kind]);
    if (hop->path.len > 0) {
        buf_add_format(&text, " %.*s", STR_ARG(hop->path));
    }
    for (size_t i = 0; i < hop->argc; i++) {
        buf_add_format(&text, " %.*s", STR_ARG(hop->argv[i]));
    }
    for (size_t i = 0; i < hop->host_count; i++) {
        buf_add_format(&text, "%s%.*s", i > 0 ? ", then " : " ", STR_ARG(hop->hosts[i].name));
    }
    if (hop->host_count > 0) {
        buf_add_format(&text, ", port %u", (unsigned)hop->port);
    }
    struct str made = text.failed ? (struct str){0} : arena_copy(arena, buf_str(&text));
    buf_done(&text);
    return made;
}
