/* authors.c: whether a message is of the user who submits it, by its header: every address in From,
 * Sender, Resent-From and Resent-Sender must be one that he may write as. Readers show From
 * whatever the others say, so that a Sender of his own does not make up for another's From. */
#include "core/base/utf8.h"
#include "core/mail/address_list.h"
#include "path/session/session_inside.h"

enum { SHOWN_ADDRESS = 254, SHOWN_USER = 100 };

enum fault { FAULT_NONE, FAULT_ANOTHERS, FAULT_UNCLEAR, FAULT_NO_SENDER };

struct finding {
    enum fault fault;
    enum header_author author;
    struct str address; /* ANOTHERS */
    size_t writers;     /* addresses in From */
    bool has_sender;
};

/* As a reply may have it: beyond ASCII only to whom said SMTPUTF8 (RFC 6531 3.7.4). */
static struct str shown(const struct session *s, struct str text, size_t longest)
{
    struct buf out = {0};
    bool utf8 = s->mail->envelope.smtputf8;
    for (text = str_head(text, longest); text.len > 0;) {
        size_t n = utf8_beyond_ascii(text);
        bool fit = n > 0 ? utf8 : (unsigned char)text.ptr[0] < 0x80;
        n = n > 0 ? n : 1;
        buf_add(&out, fit ? str_head(text, n) : STR("?"));
        text = str_tail(text, n);
    }
    struct str kept = arena_copy(&s->mail->arena, buf_str(&out));
    buf_done(&out);
    return kept;
}

static struct smtp_reply with_text(enum answer answer, struct str text)
{
    struct smtp_reply reply = *smtp_answer(answer);
    reply.text = text.ptr ? text : reply.text;
    return reply;
}

struct smtp_reply authors_sender_refusal(struct session *s)
{
    struct str user = shown(s, s->client.user, SHOWN_USER);
    struct str address = shown(s, s->mail->envelope.reverse_path, SHOWN_ADDRESS);
    return with_text(ANSWER_NOT_YOUR_SENDER,
                     arena_format(&s->mail->arena, "User %.*s may not send mail as %.*s",
                                  STR_ARG(user), STR_ARG(address)));
}

static struct smtp_reply refusal_of(const struct session *s, const struct finding *found)
{
    struct arena *arena = &s->mail->arena;
    struct str field = header_author_name(found->author);
    struct str user = shown(s, s->client.user, SHOWN_USER);
    struct str address = shown(s, found->address, SHOWN_ADDRESS);
    struct str text = {0};
    switch (found->fault) {
    case FAULT_ANOTHERS:
        text = arena_format(arena, "User %.*s may not write as %.*s, whom %.*s names",
                            STR_ARG(user), STR_ARG(address), STR_ARG(field));
        return with_text(ANSWER_NOT_YOUR_FIELD, text);
    case FAULT_UNCLEAR:
        text = arena_format(arena,
                            "%.*s does not tell clearly whose the message is: one such field with "
                            "addresses of user %.*s is wanted",
                            STR_ARG(field), STR_ARG(user));
        return with_text(ANSWER_FIELD_UNCLEAR, text);
    case FAULT_NO_SENDER:
    case FAULT_NONE:
        break;
    }
    return *smtp_answer(ANSWER_NO_ONE_SENDER);
}

/* Reads the addresses of a field up to the first that is another's, which is left in `address`. One
 * that names nobody ("<other's>:;") is a trick: some readers show its text as an address. */
static enum fault judge_field(const struct session *s, struct str value, struct buf *address,
                              size_t *count)
{
    struct address_list list = {.rest = value};
    *count = 0;
    while (address_list_next(&list, address)) {
        (*count)++;
        if (!policy_may_write_as(&s->client, buf_str(address))) {
            return FAULT_ANOTHERS;
        }
    }
    return list.damaged || address->failed || *count == 0 ? FAULT_UNCLEAR : FAULT_NONE;
}

/* Two fields of one kind are a trick as well (RFC 5322 3.6), but for what each who resends it adds.
 */
static bool may_repeat(enum header_author author)
{
    return author == AUTHOR_RESENT_FROM || author == AUTHOR_RESENT_SENDER;
}

static struct finding judge_all(struct session *s)
{
    const struct header_authors *a = &s->mail->header.authors;
    struct finding found = {.fault = a->cut ? FAULT_UNCLEAR : FAULT_NONE};
    unsigned seen = 0;
    for (size_t i = 0; i < a->count; i++) {
        struct buf address = {0};
        size_t count = 0;
        enum header_author author = (enum header_author)a->fields[i].author;
        enum fault fault = judge_field(s, header_author_value(a, i), &address, &count);
        bool again = (seen & 1U << author) != 0 && !may_repeat(author);
        seen |= 1U << author;
        fault = fault == FAULT_NONE && again ? FAULT_UNCLEAR : fault;
        found.writers += author == AUTHOR_FROM ? count : 0;
        found.has_sender = found.has_sender || author == AUTHOR_SENDER;
        if (found.fault == FAULT_NONE && fault != FAULT_NONE) {
            found.fault = fault;
            found.author = author;
            found.address = arena_copy(&s->mail->arena, buf_str(&address));
        }
        buf_done(&address);
    }
    return found;
}

static void log_fault(const struct session *s, const struct finding *found,
                      const struct smtp_reply *refusal)
{
    log_event(s->office->ports->log, LOG_INFO, "foreign-author",
              F_STR("id", queue_id_str(&s->mail->id_text)), F_STR("user", s->client.user),
              F_STR("field", header_author_name(found->author)), F_STR("address", found->address),
              F_STR("reason", refusal->text));
}

bool authors_judge(struct session *s, struct smtp_reply *refusal)
{
    struct transaction *t = s->mail;
    if (!t->envelope.submitted) {
        return true;
    }
    struct finding found = judge_all(s);
    /* What has come a way already is left as its own server made it. */
    bool lacks = found.writers > 1 && !found.has_sender && t->header.received == 0;
    bool known = t->envelope.reverse_path.len > 0;
    t->lacks_sender = lacks && known;
    if (found.fault == FAULT_NONE && lacks && !known) {
        found.fault = FAULT_NO_SENDER;
    }
    if (s->client.user.len == 0 || found.fault == FAULT_NONE) {
        return true;
    }
    *refusal = refusal_of(s, &found);
    if (s->config->author_check == AUTHORS_LOGGED) {
        log_fault(s, &found, refusal);
    }
    return s->config->author_check != AUTHORS_CHECKED;
}
