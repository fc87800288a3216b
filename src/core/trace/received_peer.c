/* received_peer.c: who the client was: the word after "from" and the comments behind it. */
#include "core/trace/received_inside.h"

static bool parse_ip(struct str text, struct ip *ip)
{
    size_t scope = str_find(text, '%');
    text = scope == STR_NONE ? text : str_head(text, scope);
    if (str_starts_nocase(text, STR("IPv6:"))) {
        text = str_tail(text, 5);
    }
    return ip_parse(text, ip);
}

/* "192.0.2.1:25", "192.0.2.1.25" */
static bool parse_ip_port(struct str text, struct ip *ip)
{
    size_t colon = str_rfind(text, ':');
    size_t before = colon == STR_NONE ? str_rfind(text, '.') : colon;
    uint64_t port = 0;
    return before != STR_NONE && str_to_u64(str_tail(text, before + 1), UINT16_MAX, &port) &&
           ip_parse_v4(str_head(text, before), ip);
}

static struct str strip(struct str text, const char *outside)
{
    for (size_t i = 0; i < 4; i++) {
        for (const char *c = outside; *c; c++) {
            text = text.len > 0 && text.ptr[0] == *c ? str_tail(text, 1) : text;
            text =
                text.len > 0 && text.ptr[text.len - 1] == *c ? str_head(text, text.len - 1) : text;
        }
    }
    return text;
}

bool address_read(struct str word, struct ip *ip, struct str *before)
{
    size_t open = str_find(word, '[');
    *before = open == STR_NONE ? (struct str){0} : str_head(word, open);
    struct str inside = open == STR_NONE ? word : str_tail(word, open + 1);
    size_t close = str_find(inside, ']');
    inside = strip(close == STR_NONE ? inside : str_head(inside, close), "[]()<>,.");
    return parse_ip(inside, ip) || parse_ip_port(inside, ip);
}

bool is_host_name(struct str word)
{
    bool dot =
        word.len > 1 && word.ptr[word.len - 1] == '.'; /* a full name, as the DNS writes it */
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        dot = dot || (c == '.' && i > 0 && i + 1 < word.len);
        if (!ascii_is_alnum(c) && c != '.' && c != '-' && c != '_' && !((unsigned char)c & 0x80)) {
            return false;
        }
    }
    return dot;
}

/* Names that a receiver writes where the reverse DNS had none. */
static bool means_unknown(struct str word)
{
    static const struct str words[] = {STR_INIT("unknown"),           STR_INIT("unverified"),
                                       STR_INIT("softdnserr"),        STR_INIT("no"),
                                       STR_INIT("nodnsquery"),        STR_INIT("unknown.domain"),
                                       STR_INIT("no.name.available"), STR_INIT("Unknown_Domain"),
                                       STR_INIT("UnknownHost"),       STR_INIT("RDNS")};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eq_nocase(word, words[i])) {
            return true;
        }
    }
    return false;
}

static struct str without_angles(struct str word)
{
    return word.len > 2 && word.ptr[0] == '<'
               ? str_split(&(struct str){word.ptr + 1, word.len - 1}, '>')
               : word;
}

/* A name without a dot counts only where an address follows it; these are no names even there. */
static bool is_short_name(struct str word)
{
    static const struct str others[] = {STR_INIT("really"), STR_INIT("from"), STR_INIT("by"),
                                        STR_INIT("authenticated"), STR_INIT("port")};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (str_eq_nocase(word, others[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < word.len; i++) {
        if (!ascii_is_alnum(word.ptr[i]) && word.ptr[i] != '-' && word.ptr[i] != '_') {
            return false;
        }
    }
    return word.len > 0;
}

/* A name before the address: "mail.example.org", "IDENT:anna@mail.example.org", "anna@". */
static void take_name(struct received *r, struct str word, bool address_follows)
{
    if (str_starts_nocase(word, STR("IDENT:"))) {
        word = str_tail(word, 6);
        size_t only = str_rfind(word, '@');
        r->ident = only == STR_NONE ? word : r->ident;
    }
    word = without_angles(word);
    size_t at = str_rfind(word, '@');
    if (at != STR_NONE) {
        bool alone = at + 1 == word.len; /* "anna@[192.0.2.1]" */
        r->ident = alone ? str_head(word, at) : word;
        word = str_tail(word, at + 1);
    }
    struct ip ip;
    struct str before;
    if (means_unknown(word)) {
        r->rdns_unknown = true;
    } else if (word.len > 0 && address_read(word, &ip, &before)) {
        r->ip = r->ip.family == IP_NONE ? ip : r->ip;
    } else if (r->rdns.len == 0 &&
               (is_host_name(word) || (address_follows && is_short_name(word)) ||
                str_eq_nocase(word, STR("localhost")))) {
        r->rdns = word;
    }
}

static void take_address(struct received *r, struct ip ip, struct str before)
{
    r->ip = ip;
    if (before.len > 0) {
        take_name(r, before, true);
    }
}

/* "HELO name", "HELO" with nothing, or with a name in brackets. */
static bool take_helo(struct received *r, struct str word, struct str *rest)
{
    bool said = str_eq_nocase(word, STR("HELO")) || str_eq_nocase(word, STR("EHLO")) ||
                str_eq_nocase(word, STR("LHLO"));
    if (said) {
        r->helo = strip(comment_word(rest), "[]()");
        r->no_helo = r->helo.len == 0;
    }
    return said;
}

static bool looks_like_address(struct str word)
{
    word = strip(word, "[]()");
    size_t dots = 0;
    for (size_t i = 0; i < word.len; i++) {
        dots += word.ptr[i] == '.';
        if (!ascii_is_digit(word.ptr[i]) && word.ptr[i] != '.' && word.ptr[i] != '?') {
            return false;
        }
    }
    return dots >= 3;
}

static void take_peer_word(struct received *r, struct str word, struct str *rest)
{
    struct ip ip;
    struct str before;
    size_t equals = str_find(word, '=');
    if (take_helo(r, word, rest) || (equals != STR_NONE && equals < str_find(word, '['))) {
        return; /* "helo=[192.0.2.1]" is no address of the client's: facts_comment() reads it */
    }
    if (str_eq_nocase(word, STR("verified"))) {
        r->rdns_verified = true;
    } else if (str_eq_nocase(word, STR("forged")) || str_eq_nocase(word, STR("forged)"))) {
        r->may_be_forged = true;
    } else if (address_read(word, &ip, &before)) {
        take_address(r, ip, before);
    } else if (looks_like_address(word)) {
        r->bad_ip = true;
    } else if (str_find(word, '=') == STR_NONE) {
        struct str port = word;
        struct str behind = str_trim(str_head(*rest, 8));
        bool follows = behind.len > 0 && behind.ptr[0] == '[';
        take_name(r, str_find(word, '[') == STR_NONE ? word : str_split(&port, '['), follows);
    }
}

static bool has_ip(const struct received *r)
{
    return r->ip.family != IP_NONE;
}

static void read_peer(struct received *r, struct str rest)
{
    for (struct str word; (word = comment_word(&rest)).len > 0;) {
        if (str_eq_nocase(word, STR("account")) || str_eq_nocase(word, STR("envelope-from")) ||
            str_eq_nocase(word, STR("envelope-sender")) || str_eq_nocase(word, STR("user"))) {
            (void)comment_word(&rest);
        } else if (str_eq_nocase(word, STR("with"))) {
            r->auth = comment_word(&rest); /* "anna@192.0.2.1 with login" */
        } else {
            take_peer_word(r, word, &rest);
        }
    }
}

/* The last comment with an address is the server's: one before it may be the client's HELO, which
 * can be "x (trusted.example [192.0.2.1])". */
void peer_comment(struct received *r, struct str comment)
{
    if (str_starts_nocase(comment, STR("using ")) || str_starts_nocase(comment, STR("AUTH:")) ||
        str_starts_nocase(comment, STR("TLS:")) || str_starts_nocase(comment, STR("version=")) ||
        str_starts_nocase(comment, STR("Authenticated"))) {
        return; /* facts_comment() reads these */
    }
    struct ip ip = r->ip;
    struct str rdns = r->rdns;
    r->ip = (struct ip){0};
    r->rdns = (struct str){0};
    read_peer(r, comment);
    bool again = has_ip(r) && ip.family != IP_NONE;
    r->ip = has_ip(r) ? r->ip : ip;
    r->rdns = r->rdns.len > 0 || again ? r->rdns : rdns;
}

/* Exim and qmail write the DNS's name first, and the HELO only where it is another; a name that
 * its receiver has verified is one too. */
static bool first_is_of_dns(const struct received *r)
{
    return r->rdns_verified || str_eq(r->software.name, STR("Exim")) ||
           str_eq(r->software.name, STR("qmail"));
}

void peer_settle(struct received *r)
{
    struct ip ip;
    struct str before;
    bool literal = r->from.len > 0 && address_read(r->from, &ip, &before);
    if (literal && !has_ip(r)) {
        r->ip = ip;
    }
    r->helo = strip(r->helo, "[]()");
    if (r->rdns.len == 0 && r->helo.len > 0 && !literal && is_host_name(r->from)) {
        r->rdns = r->from; /* qmail, Exim: the name is the DNS's, the HELO is told apart */
    } else if (r->rdns.len == 0 && !literal && has_ip(r) && is_host_name(r->from) &&
               first_is_of_dns(r)) {
        r->rdns = r->from;
        r->helo = r->no_helo ? (struct str){0} : r->from;
    } else if (r->helo.len == 0 && (r->rdns.len > 0 || r->rdns_unknown || has_ip(r)) &&
               !str_eq_nocase(r->from, STR("unknown"))) {
        r->helo =
            r->from; /* Postfix, sendmail, …: the name is the HELO, the DNS's is in brackets */
    }
    if (str_eq_nocase(r->from, STR("unknown"))) {
        bool helo_unknown = r->helo.len == 0 && r->rdns_unknown; /* "unknown (unknown [ip])" */
        r->helo = helo_unknown ? r->from : r->helo;
        r->rdns_unknown = true;
    }
}
