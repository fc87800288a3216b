#include "core/trace/received.h"

#include "core/trace/received_inside.h"

enum clause {
    CLAUSE_NONE,
    CLAUSE_FROM,
    CLAUSE_BY,
    CLAUSE_VIA,
    CLAUSE_WITH,
    CLAUSE_ID,
    CLAUSE_FOR,
    CLAUSE_AS
};

struct reading {
    struct received *r;
    enum clause clause;
    bool filled; /* the clause has its word */
    struct str rest;
    struct str date_from; /* after the last semicolon */
    bool date_said;
    bool named_date; /* a day's or month's name has come: no clauses follow */
};

static struct str trim_word(struct str word)
{
    while (word.len > 0 && (word.ptr[word.len - 1] == ',' || word.ptr[word.len - 1] == ';')) {
        word = str_head(word, word.len - 1);
    }
    return word;
}

/* "<a@b>", "<S72E>"; two in a row or an open one are cut at the first ">". */
static struct str without_angles(struct str word)
{
    bool angles = word.len > 0 && word.ptr[0] == '<';
    while (word.len > 0 && word.ptr[0] == '<') {
        word = str_tail(word, 1); /* "<<a@b>>" too */
    }
    return angles ? str_split(&word, '>') : word;
}

static struct str without_brackets(struct str word)
{
    if (word.len > 1 && word.ptr[0] == '[') {
        struct str rest = str_tail(word, 1);
        return str_split(&rest, ']');
    }
    return word;
}

static bool keyword(struct str word, enum clause *clause)
{
    static const struct {
        struct str word;
        enum clause clause;
    } words[] = {{STR_INIT("from"), CLAUSE_FROM}, {STR_INIT("by"), CLAUSE_BY},
                 {STR_INIT("via"), CLAUSE_VIA},   {STR_INIT("with"), CLAUSE_WITH},
                 {STR_INIT("id"), CLAUSE_ID},     {STR_INIT("for"), CLAUSE_FOR}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eq_nocase(word, words[i].word)) {
            *clause = words[i].clause;
            return true;
        }
    }
    return false;
}

/* The protocols registered for "with" (RFC 3848, RFC 6531, RFC 8314's registry), and what others
 * write for them. */
static struct str protocol(struct str word)
{
    static const struct str names[] = {
        STR_INIT("ESMTPSA"),    STR_INIT("ESMTPS"),    STR_INIT("ESMTPA"),    STR_INIT("ESMTP"),
        STR_INIT("UTF8SMTPSA"), STR_INIT("UTF8SMTPS"), STR_INIT("UTF8SMTPA"), STR_INIT("UTF8SMTP"),
        STR_INIT("UTF8LMTPSA"), STR_INIT("UTF8LMTPS"), STR_INIT("UTF8LMTPA"), STR_INIT("UTF8LMTP"),
        STR_INIT("LMTPSA"),     STR_INIT("LMTPS"),     STR_INIT("LMTPA"),     STR_INIT("LMTP"),
        STR_INIT("SMTPS"),      STR_INIT("SMTP"),      STR_INIT("HTTPS"),     STR_INIT("HTTP"),
        STR_INIT("IMAP"),       STR_INIT("POP3"),      STR_INIT("MMS"),       STR_INIT("MAPI"),
        STR_INIT("NNFMP"),      STR_INIT("local"),     STR_INIT("UUCP"),
    };
    static const struct {
        struct str written, meant;
    } others[] = {
        {STR_INIT("ESMTP-TLS"), STR_INIT("ESMTPS")},
        {STR_INIT("asmtp"), STR_INIT("ESMTPA")},
        {STR_INIT("bsmtp"), STR_INIT("SMTP")},
        {STR_INIT("SMTPSVC"), STR_INIT("SMTP")},
        {STR_INIT("HTTPREST"), STR_INIT("HTTP")},
        {STR_INIT("local-smtp"), STR_INIT("SMTP")},
        {STR_INIT("local-esmtps"), STR_INIT("ESMTPS")},
        {STR_INIT("local-bsmtp"), STR_INIT("SMTP")},
        {STR_INIT("local-esmtp"), STR_INIT("ESMTP")},
        {STR_INIT("smtpa"), STR_INIT("ESMTPA")},
        {STR_INIT("POP"), STR_INIT("POP3")},
        {STR_INIT("IMAP4"), STR_INIT("IMAP")},
        {STR_INIT("Microsoft"), STR_INIT("SMTP")},
        {STR_INIT("QMQP"), STR_INIT("QMQP")},
        {STR_INIT("esmtpsa-tls"), STR_INIT("ESMTPSA")},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq_nocase(word, names[i])) {
            return names[i];
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (str_eq_nocase(word, others[i].written)) {
            return others[i].meant;
        }
    }
    return (struct str){0};
}

/* "ESMTP/TLS/DHE-RSA-AES256-GCM-SHA384", "[XMail 1.20 ESMTP Server]" */
static void take_protocol(struct received *r, struct str word)
{
    struct str known = protocol(word);
    struct str rest = without_brackets(word);
    if (known.len > 0) {
        r->with = known;
        return;
    }
    r->with = word;
    if (rest.len != word.len) {
        for (struct str part; (part = str_split(&rest, ' ')).len > 0 && known.len == 0;) {
            known = protocol(part);
        }
    } else if (str_find(word, '/') != STR_NONE) {
        struct str first = str_split(&rest, '/');
        known = protocol(first);
        struct str last = str_tail(word, str_rfind(word, '/') + 1);
        bool cipher = str_find(last, '-') != STR_NONE || is_cipher(last);
        r->tls_cipher = known.len > 0 && cipher ? last : r->tls_cipher;
    }
    r->with = known.len > 0 ? known : r->with;
}

/* "[192.0.2.1]:25" */
static struct str without_port(struct str word)
{
    size_t close = str_find(word, ']');
    return word.len > 0 && word.ptr[0] == '[' && close != STR_NONE ? str_head(word, close + 1)
                                                                   : word;
}

static void take_from(struct reading *t, struct str word)
{
    struct ip ip;
    struct str before;
    struct received *r = t->r;
    if (!t->filled) {
        bool bracket_behind = word.len > 0 && word.ptr[0] != '[' && str_find(word, '[') != STR_NONE;
        if (bracket_behind && address_read(word, &ip, &before)) {
            r->ip = ip;
            word = before;
        }
        r->from = without_angles(without_brackets(without_port(word)));
        return;
    }
    if (word.ptr[0] == '[' && r->ip.family == IP_NONE && address_read(word, &ip, &before)) {
        r->ip = ip; /* "from name [192.0.2.1] by" */
    }
}

static void take_word(struct reading *t, struct str word)
{
    struct received *r = t->r;
    enum clause clause = t->clause;
    word = trim_word(word);
    if (word.len == 0) {
        return;
    }
    if ((t->filled || clause == CLAUSE_WITH) && r->tls_cipher.len == 0 && clause != CLAUSE_ID &&
        is_cipher(word) && str_find(word, '/') == STR_NONE) {
        r->tls_cipher = word; /* "with AES256-GCM-SHA384 encrypted SMTP" */
        return;
    }
    if (clause == CLAUSE_FROM) {
        take_from(t, word);
    } else if (clause == CLAUSE_WITH && t->filled) {
        struct str better = protocol(word); /* "MailEnable ESMTP", "encrypted SMTP" */
        bool unregistered = protocol(r->with).len == 0;
        r->with = unregistered && better.len > 0 ? better : r->with;
    } else if (t->filled) {
        return;
    } else if (clause == CLAUSE_BY && r->by.len == 0) {
        r->by = without_angles(without_brackets(without_port(word)));
    } else if (clause == CLAUSE_VIA && r->via.len == 0) {
        r->via = word;
    } else if (clause == CLAUSE_WITH && r->with.len == 0) {
        take_protocol(r, word);
    } else if (clause == CLAUSE_ID && r->id.len == 0) {
        r->id = without_angles(word);
    } else if (clause == CLAUSE_FOR && r->recipient.len == 0) {
        r->recipient = without_angles(word);
    } else if (clause == CLAUSE_AS && !str_eq_nocase(word, STR("user"))) {
        r->auth = word;
    }
    t->filled = clause != CLAUSE_AS || r->auth.len > 0;
}

/* Haraka: "… envelope-from <anna@example.org> …" */
static void envelope_from_follows(struct reading *t)
{
    struct token next = token_next(&t->rest);
    if (next.kind == TOKEN_WORD) {
        t->r->envelope_from = without_angles(next.text);
    }
    t->clause = CLAUSE_NONE;
}

/* ZMailer: "from a.example(192.0.2.1), claiming to be "b.example" via SMTP" */
static void claim_follows(struct reading *t)
{
    struct str look = t->rest;
    if (!str_eq_nocase(token_next(&look).text, STR("to")) ||
        !str_eq_nocase(token_next(&look).text, STR("be"))) {
        return;
    }
    struct token next = token_next(&look);
    if (next.kind == TOKEN_WORD) {
        struct str quoted = next.text;
        quoted = quoted.ptr[0] == '"' ? str_tail(quoted, 1) : quoted;
        t->r->helo = str_split(&quoted, '"');
        t->rest = look;
    }
}

/* A second "from" names the envelope's sender (XMail), "from stdin" (smail) says nothing. */
static void second_from(struct reading *t)
{
    struct str look = t->rest;
    struct token next = token_next(&look);
    if (next.kind == TOKEN_WORD && next.text.ptr[0] == '<') {
        t->r->envelope_from = without_angles(next.text);
    }
    t->clause = CLAUSE_NONE;
}

static bool begins_date(struct str word)
{
    static const struct str days[] = {STR_INIT("Sun"), STR_INIT("Mon"), STR_INIT("Tue"),
                                      STR_INIT("Wed"), STR_INIT("Thu"), STR_INIT("Fri"),
                                      STR_INIT("Sat")};
    word = trim_word(word);
    for (size_t i = 0; i < ARRAY_LEN(days); i++) {
        if (str_eq_nocase(word, days[i])) {
            return true;
        }
    }
    return false;
}

static void on_word(struct reading *t, struct str word)
{
    enum clause clause;
    bool waits = !t->filled &&
                 (t->clause == CLAUSE_FROM || t->clause == CLAUSE_BY || t->clause == CLAUSE_ID);
    if (keyword(word, &clause) && !(waits && clause == t->clause)) {
        if (clause == CLAUSE_FROM && (t->r->from.len > 0 || t->r->by.len > 0)) {
            second_from(t);
            return;
        }
        t->clause = clause;
        t->filled = false;
    } else if (str_eq_nocase(word, STR("as")) && t->clause == CLAUSE_FROM) {
        t->clause = CLAUSE_AS;
        t->filled = false;
    } else if (t->clause == CLAUSE_FROM && str_eq_nocase(word, STR("claiming"))) {
        claim_follows(t);
    } else if (str_eq_nocase(word, STR("envelope-from"))) {
        envelope_from_follows(t);
    } else if (str_starts_nocase(word, STR("user=")) && t->r->by.len > 0) {
        t->r->auth = trim_word(str_tail(word, 5)); /* OpenSMTPD: "auth=yes user=anna" */
    } else if (!t->date_said && t->filled && begins_date(word)) {
        t->date_from = str_from(word.ptr, word.len + t->rest.len);
        t->date_said = true;
        t->clause = CLAUSE_NONE;
    } else {
        take_word(t, word);
    }
}

static void on_comment(struct reading *t, struct str comment)
{
    struct received *r = t->r;
    bool starts = r->from.len == 0 && r->by.len == 0 && t->clause == CLAUSE_NONE;
    if (starts && str_starts_nocase(comment, STR("from "))) {
        struct str inside = str_tail(comment, 5); /* "(from anna@localhost) by …" */
        struct token word = token_next(&inside);
        r->from = trim_word(word.text);
        peer_comment(r, inside);
        return;
    }
    (void)facts_comment(r, comment);
    if (t->clause == CLAUSE_FROM || (t->clause == CLAUSE_AS) ||
        (t->clause == CLAUSE_VIA && r->by.len == 0 && r->ip.family == IP_NONE)) {
        peer_comment(r, comment);
    }
}

/* The last semicolon parts the date from the rest; a date may also stand without one. */
static void find_date(struct reading *t, struct str value)
{
    struct received *r = t->r;
    if (t->date_said && received_date_parse(t->date_from, &r->date)) {
        return;
    }
    size_t last = str_rfind(value, ';');
    if (last != STR_NONE && received_date_parse(str_tail(value, last + 1), &r->date)) {
        return;
    }
    if (last == STR_NONE) {
        size_t keep = value.len < 60 ? value.len : 60;
        (void)received_date_parse(str_tail(value, value.len - keep), &r->date);
    }
}

/* RFC 3848 and RFC 6531: the protocols with an A at their end. */
static bool says_login(struct str with)
{
    static const struct str names[] = {
        STR_INIT("ESMTPA"),    STR_INIT("ESMTPSA"),    STR_INIT("LMTPA"),
        STR_INIT("LMTPSA"),    STR_INIT("UTF8SMTPA"),  STR_INIT("UTF8SMTPSA"),
        STR_INIT("UTF8LMTPA"), STR_INIT("UTF8LMTPSA"),
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq(with, names[i])) {
            return true;
        }
    }
    return false;
}

void received_parse(struct str value, struct received *r)
{
    *r = (struct received){0};
    struct reading t = {.r = r, .rest = value};
    for (struct token token; (token = token_next(&t.rest)).kind != TOKEN_END;) {
        switch (token.kind) {
        case TOKEN_WORD:
            on_word(&t, token.text);
            break;
        case TOKEN_COMMENT:
            on_comment(&t, token.text);
            break;
        case TOKEN_SEMICOLON:
            t.date_from = t.rest;
            t.date_said = true;
            t.clause = CLAUSE_NONE;
            t.filled = true;
            break;
        case TOKEN_END:
            break;
        }
    }
    find_date(&t, value);
    r->software = software_of(r, value);
    peer_settle(r);
    if (r->auth.len == 0 && says_login(r->with)) {
        r->auth = r->with;
    }
}
