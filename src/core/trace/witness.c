#include "core/trace/witness.h"

enum { ARC_INSTANCE_MAX = 50 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool parts_a_word(char c)
{
    return is_blank(c) || c == ';' || c == ',' || c == '(' || c == ')' || c == '"' || c == '<' ||
           c == '>';
}

/* The next run of octets between blanks, commas, semicolons, quotes and brackets. */
static struct str next_word(struct str *rest)
{
    size_t start = 0;
    while (start < rest->len && parts_a_word(rest->ptr[start])) {
        start++;
    }
    size_t end = start;
    while (end < rest->len && !parts_a_word(rest->ptr[end])) {
        end++;
    }
    struct str word = str_from(rest->ptr + start, end - start);
    *rest = str_tail(*rest, end);
    return end > start ? word : (struct str){0};
}

static struct str after(struct str word, struct str key)
{
    return str_starts_nocase(word, key) ? str_tail(word, key.len) : (struct str){0};
}

/* What stands after the last "@", or all of a name; no brackets. */
static struct str host_of(struct str address)
{
    size_t at = str_rfind(address, '@');
    return at == STR_NONE ? address : str_tail(address, at + 1);
}

/* The last "<…>", else the last word with an "@", else nothing. */
static struct str host_of_address(struct str value)
{
    size_t open = str_rfind(value, '<');
    if (open != STR_NONE) {
        struct str inside = str_tail(value, open + 1);
        struct str address = str_trim(str_split(&inside, '>'));
        return str_find(address, '@') == STR_NONE ? (struct str){0} : host_of(address);
    }
    struct str host = {0};
    for (struct str word; (word = next_word(&value)).len > 0;) {
        host = str_find(word, '@') == STR_NONE ? host : host_of(word);
    }
    return host;
}

/* "k=value" of a tag list (RFC 6376 3.2), without the blanks around it. */
static struct str tag(struct str list, char name)
{
    while (list.len > 0) {
        struct str one = str_trim(str_split(&list, ';'));
        struct str key = str_split(&one, '=');
        key = str_trim(key);
        if (key.len == 1 && ascii_lower(key.ptr[0]) == name) {
            return str_trim(one);
        }
    }
    return (struct str){0};
}

static unsigned instance_of(struct str digits)
{
    uint64_t n = 0;
    return str_to_u64(digits, ARC_INSTANCE_MAX, &n) ? (unsigned)n : 0;
}

static bool address_in(struct str word, struct ip *ip)
{
    size_t equals = str_rfind(word, '=');
    word = equals == STR_NONE ? word : str_tail(word, equals + 1);
    if (word.len > 1 && word.ptr[0] == '[') {
        struct str rest = str_tail(word, 1);
        word = str_split(&rest, ']');
    }
    word = str_starts_nocase(word, STR("IPv6:")) ? str_tail(word, 5) : word;
    return ip_parse(word, ip);
}

static void read_address(struct witness *w)
{
    w->host = host_of_address(w->value);
}

static void read_spf(struct witness *w)
{
    struct str rest = w->value;
    w->result = next_word(&rest);
    for (struct str word; (word = next_word(&rest)).len > 0;) {
        struct str sender = after(word, STR("envelope-from="));
        if (sender.ptr && sender.len == 0) {
            sender = next_word(&rest); /* envelope-from="anna@example.org", =<…> */
        }
        struct str helo = after(word, STR("helo="));
        struct str receiver = after(word, STR("receiver="));
        w->host = sender.len > 0 ? host_of(sender) : w->host;
        w->helo = helo.len > 0 ? helo : w->helo;
        w->by = receiver.len > 0 ? receiver : w->by;
        struct str client = after(word, STR("client-ip="));
        if (client.len > 0 || w->ip.family == IP_NONE) {
            (void)address_in(word, &w->ip);
        }
    }
}

static void keep_first(struct str *into, struct str found)
{
    *into = into->len == 0 ? found : *into;
}

/* "mx.example.org; spf=pass (… 192.0.2.1 …) smtp.mailfrom=example.net; dkim=pass header.d=…" */
static void read_results(struct witness *w)
{
    struct str rest = w->value;
    struct str first = next_word(&rest);
    if (w->kind == WITNESS_ARC_RESULTS) {
        w->instance = instance_of(tag(w->value, 'i'));
        first = next_word(&rest);
    }
    bool named = first.len > 0 && str_find(first, '=') == STR_NONE; /* some leave it out */
    w->by = named ? first : (struct str){0};
    rest = named ? rest : w->value;
    for (struct str word; (word = next_word(&rest)).len > 0;) {
        if (after(word, STR("policy.origin=")).ptr) {
            /* x-trace's: where the message came from, which is not who the client was. */
            (void)next_word(&rest);
            continue;
        }
        keep_first(&w->spf, after(word, STR("spf=")));
        keep_first(&w->dkim, after(word, STR("dkim=")));
        keep_first(&w->dmarc, after(word, STR("dmarc=")));
        keep_first(&w->arc, after(word, STR("arc=")));
        keep_first(&w->helo, after(word, STR("smtp.helo=")));
        struct str sender = after(word, STR("smtp.mailfrom="));
        keep_first(&w->host, host_of(sender));
        if (w->ip.family == IP_NONE) {
            (void)address_in(word, &w->ip);
        }
    }
    w->result = w->spf;
}

static void read_signature(struct witness *w)
{
    w->host = tag(w->value, 'd');
    w->instance = w->kind == WITNESS_DKIM_SIGNATURE ? 0 : instance_of(tag(w->value, 'i'));
}

static void read_seal(struct witness *w)
{
    read_signature(w);
    struct str rest = w->value;
    for (struct str word; (word = next_word(&rest)).len > 0;) {
        keep_first(&w->result, after(word, STR("cv=")));
    }
}

static void read_ip(struct witness *w)
{
    struct str rest = w->value;
    struct str word;
    while (w->ip.family == IP_NONE && (word = next_word(&rest)).len > 0) {
        (void)address_in(word, &w->ip);
    }
}

static void read_date(struct witness *w)
{
    (void)received_date_parse(w->value, &w->date);
}

static void read_nothing(struct witness *w)
{
    (void)w;
}

/* "Users of it <users.lists.example.org>", "<mailto:users@lists.example.org>, <https://…>" */
static void read_list(struct witness *w)
{
    struct str rest = w->value;
    size_t open = str_find(rest, '<');
    rest = open == STR_NONE ? str_trim(rest) : str_tail(rest, open + 1);
    struct str target = open == STR_NONE ? rest : str_trim(str_split(&rest, '>'));
    size_t slashes = str_find_str(target, STR("://"));
    if (slashes != STR_NONE) {
        target = str_tail(target, slashes + 3);
        target = str_split(&target, '/');
    }
    target = str_split(&target, '?');
    w->host = host_of(target);
}

static const struct {
    struct str name;
    enum witness_kind kind;
    void (*read)(struct witness *w);
} fields[] = {
    {STR_INIT("Return-Path"), WITNESS_RETURN_PATH, read_address},
    {STR_INIT("Received-SPF"), WITNESS_RECEIVED_SPF, read_spf},
    {STR_INIT("Authentication-Results"), WITNESS_AUTH_RESULTS, read_results},
    {STR_INIT("ARC-Authentication-Results"), WITNESS_ARC_RESULTS, read_results},
    {STR_INIT("ARC-Message-Signature"), WITNESS_ARC_SIGNATURE, read_signature},
    {STR_INIT("ARC-Seal"), WITNESS_ARC_SEAL, read_seal},
    {STR_INIT("DKIM-Signature"), WITNESS_DKIM_SIGNATURE, read_signature},
    {STR_INIT("X-Originating-IP"), WITNESS_ORIGINATING_IP, read_ip},
    {STR_INIT("X-Sender-IP"), WITNESS_ORIGINATING_IP, read_ip},
    {STR_INIT("X-Client-IP"), WITNESS_ORIGINATING_IP, read_ip},
    {STR_INIT("X-Remote-IP"), WITNESS_ORIGINATING_IP, read_ip},
    {STR_INIT("X-Source-IP"), WITNESS_ORIGINATING_IP, read_ip},
    {STR_INIT("X-Received"), WITNESS_X_RECEIVED, read_nothing},
    {STR_INIT("Delivered-To"), WITNESS_DELIVERED_TO, read_address},
    {STR_INIT("X-Original-To"), WITNESS_DELIVERED_TO, read_address},
    {STR_INIT("Date"), WITNESS_DATE, read_date},
    {STR_INIT("Message-ID"), WITNESS_MESSAGE_ID, read_address},
    {STR_INIT("From"), WITNESS_FROM, read_address},
    {STR_INIT("List-Id"), WITNESS_LIST, read_list},
    {STR_INIT("List-Post"), WITNESS_LIST, read_list},
    {STR_INIT("List-Help"), WITNESS_LIST, read_list},
    {STR_INIT("List-Owner"), WITNESS_LIST, read_list},
    {STR_INIT("List-Archive"), WITNESS_LIST, read_list},
    {STR_INIT("List-Subscribe"), WITNESS_LIST, read_list},
    {STR_INIT("List-Unsubscribe"), WITNESS_LIST, read_list},
};

bool witness_read(const struct header_field *field, size_t position, struct witness *w)
{
    *w = (struct witness){0};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (str_eq_nocase(field->name, fields[i].name)) {
            w->kind = fields[i].kind;
            w->position = position;
            w->name = field->name;
            w->value = field->value;
            fields[i].read(w);
            return true;
        }
    }
    return false;
}

size_t witnesses_read(struct str message, struct witness *out, size_t max)
{
    struct header_iter it = header_begin(message);
    size_t count = 0, position = 0;
    for (struct header_field field; count < max && header_next(&it, &field); position++) {
        count += witness_read(&field, position, &out[count]);
    }
    return count;
}
