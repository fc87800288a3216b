#include "config/place.h"

#include "core/dns/idn.h"

/* A text being read: the first failure's reason sticks; a null one with `failed`: no memory. */
struct reading {
    struct arena *arena;
    const char *reason;
    bool failed;
};

static void refuse(struct reading *r, const char *reason)
{
    r->reason = r->failed ? r->reason : reason;
    r->failed = true;
}

static struct str kept(struct reading *r, struct str text)
{
    struct str copy = r->failed ? (struct str){0} : arena_copy(r->arena, text);
    if (!copy.ptr) {
        refuse(r, NULL);
    }
    return copy;
}

static bool takes(struct str *text, struct str prefix)
{
    bool found = str_starts_nocase(*text, prefix);
    *text = found ? str_tail(*text, prefix.len) : *text;
    return found;
}

static bool is_template_name(struct str name)
{
    static const struct str names[] = {STR_INIT("domain"), STR_INIT("local"), STR_INIT("user"),
                                       STR_INIT("tag"), STR_INIT("sender")};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq(name, names[i])) {
            return true;
        }
    }
    return false;
}

static void check_template(struct reading *r, struct str text)
{
    while (text.len > 0) {
        size_t brace = 0;
        while (brace < text.len && text.ptr[brace] != '{' && text.ptr[brace] != '}') {
            brace++;
        }
        if (brace == text.len) {
            return;
        }
        struct str inside = str_tail(text, brace + 1);
        size_t close = str_find(inside, '}');
        if (text.ptr[brace] == '}' || close == STR_NONE) {
            refuse(r, "a brace without its partner");
            return;
        }
        if (!is_template_name(str_head(inside, close))) {
            refuse(r,
                   "in braces stands {domain}, {local}, {user}, {tag} or {sender}, nothing else");
            return;
        }
        text = str_tail(inside, close + 1);
    }
}

static struct str read_path(struct reading *r, struct str text, bool is_template)
{
    if (text.len == 0) {
        refuse(r, "a path is missing");
    }
    if (str_has_control(text)) {
        refuse(r, "a control character in a path");
    }
    if (is_template) {
        check_template(r, text);
    }
    return kept(r, text);
}

/* A local socket's path has a fixed place of 108 octets in the system, its NUL included. */
static struct str read_socket(struct reading *r, struct str text, bool is_template)
{
    if (text.len > 107) {
        refuse(r, "the path of a local socket has at most 107 octets");
    }
    return read_path(r, text, is_template);
}

static bool is_label(struct str label)
{
    if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' ||
        label.ptr[label.len - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < label.len; i++) {
        char c = label.ptr[i];
        if (!ascii_is_alnum(c) && c != '-' && c != '_') {
            return false;
        }
    }
    return true;
}

static bool is_number(struct str text)
{
    uint64_t value;
    return str_to_u64(text, UINT64_MAX, &value);
}

/* Host names as servers have them: letters, digits, hyphens, and the underscores of the careless.
 * The last label is no number, or 192.0.2.256 would be a name. */
static bool is_host_name(struct str name)
{
    if (name.len > 253) {
        return false;
    }
    struct str rest = name;
    struct str label;
    bool more;
    do {
        more = str_find(rest, '.') != STR_NONE;
        label = str_split(&rest, '.');
        if (!is_label(label)) {
            return false;
        }
    } while (more);
    return !is_number(label);
}

static struct str read_name(struct reading *r, struct str text)
{
    struct buf ascii = {0};
    struct ip ip;
    struct str name = {0};
    if (ip_parse(text, &ip)) {
        name = kept(r, text);
    } else if (text.len > 0 && idn_to_ascii(&ascii, text) && is_host_name(buf_str(&ascii))) {
        name = kept(r, buf_str(&ascii));
    } else {
        refuse(r, "this is no host name and no address (an IPv6 address stands in [brackets])");
    }
    buf_done(&ascii);
    return name;
}

/* "HOST", "HOST:PORT", "[V6]", "[V6]:PORT"; the port is left alone where none is given. */
static struct str read_host(struct reading *r, struct str text, uint16_t *port)
{
    uint64_t number = 0;
    struct ip ip;
    struct str host = text;
    struct str rest = {0};
    if (str_starts(text, STR("["))) {
        size_t close = str_find(text, ']');
        host = close == STR_NONE ? text : str_from(text.ptr + 1, close - 1);
        rest = close == STR_NONE ? rest : str_tail(text, close + 1);
        if (!ip_parse_v6(host, &ip)) {
            refuse(r, "in brackets stands an IPv6 address, like [2001:db8::1]");
        }
    } else if (!ip_parse_v6(text, &ip)) {
        size_t colon = str_find(text, ':');
        host = str_head(text, colon == STR_NONE ? text.len : colon);
        rest = colon == STR_NONE ? rest : str_tail(text, colon);
    } else {
        refuse(r, "an IPv6 address stands in brackets, like [2001:db8::1]:25");
    }
    if (rest.len > 0) {
        if (rest.ptr[0] != ':' || !str_to_u64(str_tail(rest, 1), UINT16_MAX, &number) ||
            number == 0) {
            refuse(r, "a port is a number from 1 to 65535");
        }
        *port = (uint16_t)number;
    }
    return r->failed ? (struct str){0} : read_name(r, host);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* One word, its quotes removed; a backslash stands for itself, as there is no shell. */
static struct str read_word(struct reading *r, struct str *rest)
{
    struct buf word = {0};
    size_t i = 0;
    while (i < rest->len && !is_blank(rest->ptr[i])) {
        char c = rest->ptr[i];
        if (c != '"' && c != '\'') {
            buf_add_char(&word, c);
            i++;
            continue;
        }
        size_t close = str_find(str_tail(*rest, i + 1), c);
        if (close == STR_NONE) {
            refuse(r, "a quotation mark is not closed");
            break;
        }
        buf_add(&word, str_from(rest->ptr + i + 1, close));
        i += close + 2;
    }
    if (word.failed) {
        refuse(r, NULL);
    }
    *rest = str_tail(*rest, i);
    struct str made = kept(r, buf_str(&word));
    buf_done(&word);
    return made;
}

static void check_program(struct reading *r, struct str program)
{
    if (!str_starts(program, STR("/"))) {
        refuse(r, "a program is named by its absolute path");
    }
    if (str_find(program, '{') != STR_NONE) {
        refuse(r, "which program runs cannot depend on the address: no braces in its path");
    }
}

static void read_program(struct reading *r, struct str text, struct config_mailboxes *made)
{
    made->argv = arena_array(r->arena, PLACE_ARGUMENTS_MAX, sizeof *made->argv);
    if (!made->argv) {
        refuse(r, NULL);
    }
    for (struct str rest = str_trim(text); rest.len > 0 && !r->failed; rest = str_trim(rest)) {
        if (made->argc == PLACE_ARGUMENTS_MAX) {
            refuse(r, "a program takes at most 63 arguments");
            return;
        }
        struct str word = read_word(r, &rest);
        if (str_has_control(word)) {
            refuse(r, "a control character in a command");
        }
        if (made->argc > 0) {
            check_template(r, word);
        }
        made->argv[made->argc++] = word;
    }
    check_program(r, made->argc > 0 ? made->argv[0] : STR(""));
}

/* Of users of this host: where is theirs to know, so only their names can stand in it. */
static void read_system(struct reading *r, struct str text, struct config_mailboxes *made)
{
    made->kind = MAILBOX_SYSTEM;
    made->path = text.len > 0 ? read_path(r, text, true) : STR("~/Maildir/");
    size_t open = str_find(text, '{');
    struct str rest = str_tail(text, open == STR_NONE ? text.len : open);
    if (!str_starts(made->path, STR("~/")) && !str_starts(made->path, STR("/"))) {
        refuse(r, "a system user's mailbox begins with ~/ or /");
    } else if (rest.len > 0 && (!takes(&rest, STR("{user}")) || str_find(rest, '{') != STR_NONE)) {
        refuse(r, "a system user's mailbox depends on {user}, once, and on nothing else");
    }
}

static void read_mailboxes(struct reading *r, struct str text, struct config_mailboxes *made)
{
    if (takes(&text, STR("maildir:"))) {
        made->kind = MAILBOX_MAILDIR;
        made->path = read_path(r, text, true);
    } else if (takes(&text, STR("mbox:"))) {
        made->kind = MAILBOX_MBOX;
        made->path = read_path(r, text, true);
        if (str_ends(text, STR("/"))) {
            refuse(r, "an mbox is a file, its path ends in no \"/\" (is it a maildir:?)");
        }
    } else if (takes(&text, STR("lmtp:unix:"))) {
        made->kind = MAILBOX_LMTP;
        made->path = read_socket(r, text, true);
    } else if (takes(&text, STR("lmtp:"))) {
        (void)takes(&text, STR("//")); /* as transports have it */
        made->kind = MAILBOX_LMTP;
        made->port = PLACE_LMTP_PORT;
        made->host = read_host(r, text, &made->port);
    } else if (takes(&text, STR("pipe:"))) {
        made->kind = MAILBOX_PIPE;
        read_program(r, text, made);
    } else if (str_eq_nocase(text, STR("discard:"))) {
        made->kind = MAILBOX_DISCARD;
    } else if (str_eq_nocase(text, STR("system"))) {
        read_system(r, STR(""), made);
    } else if (takes(&text, STR("system:"))) {
        read_system(r, text, made);
    } else {
        refuse(r, "expected maildir:PATH, mbox:PATH, lmtp:HOST:PORT, lmtp:unix:PATH, "
                  "pipe:PROGRAM ARGUMENT..., discard:, or system");
    }
}

bool place_parse_mailboxes(struct str text, struct arena *arena, struct config_mailboxes *mailboxes,
                           const char **reason)
{
    struct reading r = {.arena = arena};
    struct config_mailboxes made = {0};
    read_mailboxes(&r, str_trim(text), &made);
    if (r.failed) {
        *reason = r.reason;
        return false;
    }
    *mailboxes = made;
    return true;
}

static struct str read_url_host(struct reading *r, struct str text, uint16_t *port)
{
    return read_host(r, str_ends(text, STR("/")) ? str_head(text, text.len - 1) : text, port);
}

static void read_transport(struct reading *r, struct str text, struct config_transport *made)
{
    if (takes(&text, STR("smtp://"))) {
        made->kind = TRANSPORT_SMTP;
        made->host = read_url_host(r, text, &made->port);
    } else if (takes(&text, STR("smtps://"))) {
        made->kind = TRANSPORT_SMTP;
        made->implicit_tls = true;
        made->port = PLACE_SMTPS_PORT;
        made->host = read_url_host(r, text, &made->port);
    } else if (takes(&text, STR("lmtp://"))) {
        made->kind = TRANSPORT_LMTP;
        made->host = read_url_host(r, text, &made->port);
    } else if (takes(&text, STR("lmtp:unix:"))) {
        made->kind = TRANSPORT_LMTP_LOCAL;
        made->path = read_socket(r, text, false);
    } else if (str_eq_nocase(text, STR("mx"))) {
        made->kind = TRANSPORT_MX;
    } else if (takes(&text, STR("mx:"))) {
        struct ip ip;
        made->kind = TRANSPORT_MX;
        made->host = read_name(r, text);
        if (ip_parse(text, &ip)) {
            refuse(r, "an address has no MX records: use smtp://ADDRESS");
        }
    } else if (str_eq_nocase(text, STR("discard:"))) {
        made->kind = TRANSPORT_DISCARD;
    } else if (takes(&text, STR("error:"))) {
        made->kind = TRANSPORT_ERROR;
        made->host = kept(r, str_trim(text));
        if (str_has_control(text)) {
            refuse(r, "a control character in the text of an error");
        }
    } else {
        refuse(r, "expected smtp://HOST:PORT, lmtp://HOST:PORT, lmtp:unix:PATH, mx, mx:DOMAIN, "
                  "discard:, or error:TEXT");
    }
}

bool place_parse_transport(struct str text, struct arena *arena, struct config_transport *transport,
                           const char **reason)
{
    struct reading r = {.arena = arena};
    struct config_transport made = {.match = transport->match};
    read_transport(&r, str_trim(text), &made);
    if (r.failed) {
        *reason = r.reason;
        return false;
    }
    *transport = made;
    return true;
}
