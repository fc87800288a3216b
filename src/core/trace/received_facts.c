/* received_facts.c: what comments say of TLS, of logging in and of the envelope. */
#include "core/trace/received_inside.h"

static bool is_version(struct str word)
{
    bool tls = str_starts_nocase(word, STR("TLS")) && word.len > 3 && word.len <= 14;
    bool number =
        tls && (ascii_is_digit(word.ptr[3]) ||
                (word.len > 4 && ascii_is_digit(word.ptr[4]) && !ascii_is_alnum(word.ptr[3])) ||
                (ascii_lower(word.ptr[3]) == 'v' && word.len > 4));
    return (number && str_find_str(word, STR("_WITH_")) == STR_NONE) ||
           str_eq_nocase(word, STR("SSLv3")) || str_eq_nocase(word, STR("SSLv2"));
}

/* "TLS_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", "DES-CBC3-SHA" */
bool is_cipher(struct str word)
{
    static const struct str parts[] = {STR_INIT("AES"),     STR_INIT("CHACHA"),   STR_INIT("RC4"),
                                       STR_INIT("DES"),     STR_INIT("CAMELLIA"), STR_INIT("ARIA"),
                                       STR_INIT("ARCFOUR"), STR_INIT("SEED"),     STR_INIT("GCM")};
    if (word.len < 7 || (str_find(word, '-') == STR_NONE && str_find(word, '_') == STR_NONE)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (str_find_str(word, parts[i]) != STR_NONE) {
            return true;
        }
    }
    return false;
}

/* "TLSv1:DES-CBC3-SHA:168", "TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256" */
static bool take_colons(struct received *r, struct str word)
{
    struct str rest = word;
    struct str version = str_split(&rest, ':');
    struct str cipher = str_split(&rest, ':');
    if (!is_version(version) || cipher.len == 0) {
        return false;
    }
    r->tls_version = version;
    r->tls_cipher = is_cipher(cipher) ? cipher : r->tls_cipher;
    return true;
}

static struct str after(struct str word, struct str key)
{
    return str_starts_nocase(word, key) ? str_tail(word, key.len) : (struct str){0};
}

static struct str without_brackets(struct str word)
{
    bool angle = word.len >= 2 && word.ptr[0] == '<';
    size_t end = str_find(word, '>');
    return !angle ? word : str_from(word.ptr + 1, (end == STR_NONE ? word.len : end) - 1);
}

/* "TLSv1/SSLv3" */
static struct str first_version(struct str word)
{
    return str_split(&word, '/');
}

static bool take_tls(struct received *r, struct str word)
{
    struct str version = after(word, STR("version="));
    struct str cipher = after(word, STR("cipher="));
    word = version.len > 0 ? version : cipher.len > 0 ? cipher : word;
    if (take_colons(r, word)) {
        return true;
    }
    if (is_version(first_version(word)) && r->tls_version.len == 0) {
        r->tls_version = first_version(word);
        return true;
    }
    if ((is_cipher(word) || cipher.len > 0) && r->tls_cipher.len == 0) {
        r->tls_cipher = str_split(&word, ':');
        return true;
    }
    return version.len > 0;
}

struct key {
    struct str name;
    struct str *value;
    bool next_word; /* the value is the word that follows */
};

static bool take_key(struct received *r, struct str word, struct str *rest)
{
    const struct key keys[] = {
        {STR("smtp.auth="), &r->auth, false},
        {STR("auth="), &r->auth, false},
        {STR("envelope-from="), &r->envelope_from, false},
        {STR("envelope-from"), &r->envelope_from, true},
        {STR("envelope-sender"), &r->envelope_from, true},
        {STR("ident="), &r->ident, false},
        {STR("account"), &r->auth, true},
        {STR("helo="), &r->helo, false},
        {STR("sender:"), &r->auth, true},
        {STR("user="), &r->auth, false},
        {STR("username"), &r->auth, true},
        {STR("acct="), &r->auth, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (keys[i].next_word && str_eq_nocase(word, keys[i].name)) {
            struct str value = comment_word(rest);
            *keys[i].value = without_brackets(value);
            return true;
        }
        struct str value = keys[i].next_word ? (struct str){0} : after(word, keys[i].name);
        if (value.ptr) {
            *keys[i].value = without_brackets(value);
            return true;
        }
    }
    return false;
}

/* "(Authenticated sender: anna)", "(authenticated bits=0)", "(SquirrelMail authenticated user
 * anna)",
 * "(AUTH: CRAM-MD5 anna, TLS: …)" */
static bool take_login(struct received *r, struct str word, struct str *rest)
{
    if (str_eq_nocase(word, STR("AUTH:"))) {
        struct str how = comment_word(rest);
        struct str look = *rest;
        bool more = look.len > 0 && look.ptr[0] == ' ';
        struct str who = more ? comment_word(&look) : (struct str){0};
        r->auth = who.len > 0 && !str_eq_nocase(who, STR("TLS:")) ? who : how;
        *rest = who.len > 0 && str_eq(r->auth, who) ? look : *rest;
        return true;
    }
    if (str_starts_nocase(word, STR("authenticated"))) {
        r->auth = r->auth.len > 0 ? r->auth : STR("yes");
        struct str look = *rest;
        struct str next = comment_word(&look);
        if (str_eq_nocase(next, STR("user")) || str_eq_nocase(next, STR("as"))) {
            r->auth = without_brackets(comment_word(&look));
            *rest = look;
        }
        return true;
    }
    return false;
}

bool facts_comment(struct received *r, struct str comment)
{
    bool known = false;
    struct str rest = comment;
    for (struct str word; (word = comment_word(&rest)).len > 0;) {
        while (word.len > 0 && (word.ptr[0] == '(' || word.ptr[0] == '[')) {
            word = str_tail(word, 1);
        }
        while (word.len > 0 && word.ptr[word.len - 1] == ')') {
            word = str_head(word, word.len - 1);
        }
        bool one = take_key(r, word, &rest) || take_login(r, word, &rest) || take_tls(r, word);
        known = known || one;
    }
    return known;
}
