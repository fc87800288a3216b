#include "core/trace/software.h"

#include "core/trace/received.h"

/* Words that a server writes of itself. The first that stands in the field counts. */
static const struct {
    struct str word;
    struct str name;
    int certainty;
} signs[] = {
    {STR_INIT("(Postrider)"), STR_INIT("Postrider"), 98},
    {STR_INIT("(Postfix"), STR_INIT("Postfix"), 97},
    {STR_INIT("(Exim "), STR_INIT("Exim"), 98},
    {STR_INIT("(OpenSMTPD)"), STR_INIT("OpenSMTPD"), 98},
    {STR_INIT("(Haraka"), STR_INIT("Haraka"), 98},
    {STR_INIT("(ecelerity"), STR_INIT("PowerMTA/ecelerity"), 97},
    {STR_INIT("(PowerMTA"), STR_INIT("PowerMTA/ecelerity"), 98},
    {STR_INIT("(CommuniGate"), STR_INIT("CommuniGate"), 98},
    {STR_INIT("(fetchmail"), STR_INIT("fetchmail"), 98},
    {STR_INIT("(getmail"), STR_INIT("getmail"), 98},
    {STR_INIT("(Lotus Domino"), STR_INIT("Domino"), 98},
    {STR_INIT("(IBM Domino"), STR_INIT("Domino"), 98},
    {STR_INIT("(HCL Domino"), STR_INIT("Domino"), 98},
    {STR_INIT("(MDaemon"), STR_INIT("MDaemon"), 98},
    {STR_INIT("(Halon)"), STR_INIT("Halon"), 98},
    {STR_INIT("(Stalwart SMTP)"), STR_INIT("Stalwart"), 98},
    {STR_INIT("(Cyrus"), STR_INIT("Cyrus"), 98},
    {STR_INIT("(Dovecot)"), STR_INIT("Dovecot"), 98},
    {STR_INIT("(qpsmtpd/"), STR_INIT("qpsmtpd"), 98},
    {STR_INIT("(courier"), STR_INIT("Courier"), 95},
    {STR_INIT("(Zimbra"), STR_INIT("Zimbra"), 95},
    {STR_INIT("(amavisd-new"), STR_INIT("amavisd"), 97},
    {STR_INIT("(Nemesis)"), STR_INIT("Nemesis"), 95},
    {STR_INIT("(Mailman"), STR_INIT("Mailman"), 90},
    {STR_INIT("(SMTPD32"), STR_INIT("IMail"), 95},
    {STR_INIT("(Kerio"), STR_INIT("Kerio"), 97},
    {STR_INIT("(hMailServer)"), STR_INIT("hMailServer"), 97},
    {STR_INIT("(Microsoft Exchange Internet Mail Service"), STR_INIT("Exchange"), 95},
    {STR_INIT("(SquirrelMail"), STR_INIT("SquirrelMail"), 95},
    {STR_INIT("(IMP)"), STR_INIT("IMP"), 90},
    {STR_INIT("(SG) with HTTP"), STR_INIT("SendGrid"), 95},
    {STR_INIT("[XMail "), STR_INIT("XMail"), 97},
    {STR_INIT("Microsoft SMTPSVC"), STR_INIT("Exchange"), 95},
    {STR_INIT("Microsoft SMTP Server"), STR_INIT("Exchange"), 97},
    {STR_INIT("with mapi id"), STR_INIT("Exchange"), 95},
    {STR_INIT("Frontend Transport"), STR_INIT("Exchange"), 95},
    {STR_INIT("with NNFMP"), STR_INIT("Yahoo"), 97},
    {STR_INIT("(Yahoo Inc. Hermes"), STR_INIT("Yahoo"), 98},
    {STR_INIT("amazonses.com"), STR_INIT("Amazon SES"), 85},
    {STR_INIT("by mx.google.com with"), STR_INIT("Gmail"), 95},
    {STR_INIT("by smtp.gmail.com with"), STR_INIT("Gmail"), 95},
    {STR_INIT("named unknown by gmailapi.google.com"), STR_INIT("Gmail"), 97},
    {STR_INIT("(Google Transport Security)"), STR_INIT("Gmail"), 95},
    {STR_INIT("(qmail-ldap"), STR_INIT("qmail"), 97},
    {STR_INIT("(qmail "), STR_INIT("qmail"), 97},
    {STR_INIT("(ofmipd "), STR_INIT("qmail"), 90},
    {STR_INIT("Novell_GroupWise"), STR_INIT("GroupWise"), 95},
    {STR_INIT("MailEnable"), STR_INIT("MailEnable"), 95},
    {STR_INIT("with qmail-scanner"), STR_INIT("qmail-scanner"), 95},
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Does `text` begin with `words`, where a blank of theirs stands for any run of blanks and folds?
 */
static bool begins(struct str text, struct str words)
{
    size_t at = 0;
    for (size_t i = 0; i < words.len; i++) {
        size_t before = at;
        if (words.ptr[i] == ' ') {
            while (at < text.len && is_blank(text.ptr[at])) {
                at++;
            }
        } else {
            at += at < text.len && text.ptr[at] == words.ptr[i];
        }
        if (at == before) {
            return false;
        }
    }
    return true;
}

static bool stands_in(struct str value, struct str words)
{
    for (size_t at = 0; at < value.len; at++) {
        if (value.ptr[at] == words.ptr[0] && begins(str_tail(value, at), words)) {
            return true;
        }
    }
    return false;
}

static bool is_sendmail_version(struct str comment)
{
    /* "8.15.2/8.15.2", "8.14.4/8.14.4/Submit", "8.15.2/8.15.2/Debian-3" */
    return comment.len >= 5 && comment.ptr[0] == '8' && comment.ptr[1] == '.' &&
           ascii_is_digit(comment.ptr[2]) && str_find(str_head(comment, 16), '/') != STR_NONE;
}

/* "from a (b [c]) by d (8.15.2/8.15.2) …" */
static bool has_sendmail_version(struct str value)
{
    for (size_t at = 0; at < value.len; at++) {
        if (value.ptr[at] == '(' && is_sendmail_version(str_tail(value, at + 1))) {
            return true;
        }
    }
    return false;
}

static bool all(struct str text, bool (*is)(char))
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is(text.ptr[i])) {
            return false;
        }
    }
    return text.len > 0;
}

/* "1GFbZc-0006QV-L8", and since 4.97 "1pSXmV-000000006Mq-0LKD". */
static bool is_exim_id(struct str id)
{
    struct str rest = id;
    struct str a = str_split(&rest, '-'), b = str_split(&rest, '-');
    bool old = a.len == 6 && b.len == 6 && rest.len == 2;
    bool fresh = a.len == 6 && b.len == 11 && rest.len == 4;
    return (old || fresh) && all(a, ascii_is_alnum) && all(b, ascii_is_alnum) &&
           all(rest, ascii_is_alnum);
}

static struct software_guess by_form(const struct received *r, struct str value)
{
    if (is_exim_id(r->id)) {
        return (struct software_guess){STR("Exim"), 80};
    }
    if (has_sendmail_version(value)) {
        return (struct software_guess){STR("Sendmail"), 90};
    }
    if (stands_in(value, STR("(HELO ")) && r->id.len == 0) {
        return (struct software_guess){STR("qmail"), 70};
    }
    return (struct software_guess){STR(""), 0};
}

struct software_guess software_of(const struct received *r, struct str value)
{
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        if (stands_in(value, signs[i].word)) {
            return (struct software_guess){signs[i].name, signs[i].certainty};
        }
    }
    return by_form(r, value);
}
