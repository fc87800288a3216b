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
    {STR_INIT("(OpenSMTPD"), STR_INIT("OpenSMTPD"), 98},
    {STR_INIT("(Haraka"), STR_INIT("Haraka"), 98},
    {STR_INIT("(ecelerity"), STR_INIT("ecelerity"), 97},
    {STR_INIT("(PowerMTA"), STR_INIT("PowerMTA"), 98},
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
    {STR_INIT("with Internet Mail Service ("), STR_INIT("Exchange"), 97},
    {STR_INIT("Microsoft Exchange Server"), STR_INIT("Exchange"), 95},
    {STR_INIT("Hermes SMTP Server)"), STR_INIT("Yahoo"), 97},
    {STR_INIT("(SimpleEmailService"), STR_INIT("Amazon SES"), 98},
    {STR_INIT("(hMailServer"), STR_INIT("hMailServer"), 97},
    {STR_INIT("with hMailServer"), STR_INIT("hMailServer"), 97},
    {STR_INIT("(Axigen"), STR_INIT("Axigen"), 97},
    {STR_INIT("(JAMES SMTP"), STR_INIT("James"), 97},
    {STR_INIT("(InterMail "), STR_INIT("InterMail"), 97},
    {STR_INIT("(Oracle Communications"), STR_INIT("Oracle Messaging Server"), 97},
    {STR_INIT("(Sun Java(tm) System Messaging"), STR_INIT("Oracle Messaging Server"), 97},
    {STR_INIT("(iPlanet Messaging"), STR_INIT("Oracle Messaging Server"), 97},
    {STR_INIT("(PMDF "), STR_INIT("PMDF"), 97},
    {STR_INIT("(Coremail)"), STR_INIT("Coremail"), 97},
    {STR_INIT("(MOS "), STR_INIT("Mirapoint"), 95},
    {STR_INIT("(Symantec"), STR_INIT("Symantec Messaging Gateway"), 95},
    {STR_INIT("(ArGoSoft"), STR_INIT("ArGoSoft"), 97},
    {STR_INIT("(LSMTP "), STR_INIT("LSMTP"), 97},
    {STR_INIT("(LISTSERV"), STR_INIT("LISTSERV"), 97},
    {STR_INIT("with ECARTIS"), STR_INIT("Ecartis"), 97},
    {STR_INIT("with LISTAR"), STR_INIT("Listar"), 95},
    {STR_INIT("(GNU Mailman"), STR_INIT("Mailman"), 97},
    {STR_INIT("(bulk_mailer"), STR_INIT("bulk_mailer"), 95},
    {STR_INIT("(Horde"), STR_INIT("Horde"), 95},
    {STR_INIT("(Roundcube"), STR_INIT("Roundcube"), 95},
    {STR_INIT("(SOGoMail"), STR_INIT("SOGo"), 90},
    {STR_INIT("(WebMailUI)"), STR_INIT("AOL webmail"), 85},
    {STR_INIT("getmail6 "), STR_INIT("getmail"), 97},
    {STR_INIT("(mpop"), STR_INIT("mpop"), 95},
    {STR_INIT("(Mercury "), STR_INIT("Mercury"), 95},
    {STR_INIT("(SurgeMail"), STR_INIT("SurgeMail"), 97},
    {STR_INIT("(Surgemail"), STR_INIT("SurgeMail"), 97},
    {STR_INIT("(MailEnable"), STR_INIT("MailEnable"), 97},
    {STR_INIT("(Scalix"), STR_INIT("Scalix"), 97},
    {STR_INIT("(Clearswift"), STR_INIT("Clearswift"), 97},
    {STR_INIT("(Content Technologies"), STR_INIT("Clearswift"), 95},
    {STR_INIT("(InterScan"), STR_INIT("InterScan"), 95},
    {STR_INIT("(Rockliffe"), STR_INIT("Rockliffe"), 97},
    {STR_INIT("(Post.Office MTA"), STR_INIT("Post.Office"), 97},
    {STR_INIT("(MessageWall"), STR_INIT("MessageWall"), 97},
    {STR_INIT("(MailGate"), STR_INIT("MailGate"), 95},
    {STR_INIT("(IceWarp"), STR_INIT("IceWarp"), 97},
    {STR_INIT("(Merak"), STR_INIT("IceWarp"), 95},
    {STR_INIT("(SmarterMail"), STR_INIT("SmarterMail"), 97},
    {STR_INIT("with SMTP (version=TLS\\Tls"), STR_INIT("SmarterMail"), 90},
    {STR_INIT("(Maddy"), STR_INIT("maddy"), 95},
    {STR_INIT("(mox)"), STR_INIT("mox"), 95},
    {STR_INIT("(chasquid)"), STR_INIT("chasquid"), 97},
    {STR_INIT("(NullMailer"), STR_INIT("nullmailer"), 95},
    {STR_INIT("(nullmailer"), STR_INIT("nullmailer"), 95},
    {STR_INIT("(DMA)"), STR_INIT("DragonFly Mail Agent"), 90},
    {STR_INIT("(DragonFly Mail Agent"), STR_INIT("DragonFly Mail Agent"), 98},
    {STR_INIT("(masqmail"), STR_INIT("masqmail"), 97},
    {STR_INIT("(MessageLabs"), STR_INIT("MessageLabs"), 90},
    {STR_INIT("(Jetsend"), STR_INIT("Jetsend"), 90},
    {STR_INIT("Jetsend MTA"), STR_INIT("Jetsend"), 90},
    {STR_INIT("(SG)"), STR_INIT("SendGrid"), 90},
    {STR_INIT("via smap (V"), STR_INIT("smap"), 95},
    {STR_INIT("via csmap (V"), STR_INIT("smap"), 95},
    {STR_INIT("(Mercury/"), STR_INIT("Mercury"), 97},
    {STR_INIT("(VisNetic.MailServer"), STR_INIT("VisNetic"), 97},
    {STR_INIT("(NAVGW "), STR_INIT("Symantec Messaging Gateway"), 95},
    {STR_INIT("(SMTPL release"), STR_INIT("LISTSERV"), 95},
    {STR_INIT("(NaSMail"), STR_INIT("NaSMail"), 95},
    {STR_INIT("(mail_out_v"), STR_INIT("AOL"), 95},
    {STR_INIT("(MailAnyone incSMTP"), STR_INIT("MailAnyone"), 95},
    {STR_INIT("(Xserve/"), STR_INIT("Sendmail"), 80},
    {STR_INIT("(SGI-8."), STR_INIT("Sendmail"), 95},
    {STR_INIT("/IDA-1."), STR_INIT("Sendmail"), 95},
    {STR_INIT("(Sendmail)"), STR_INIT("Sendmail"), 80},
    {STR_INIT("claiming to be"), STR_INIT("ZMailer"), 85},
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
           ascii_is_digit(comment.ptr[2]) && str_find(str_head(comment, 24), '/') != STR_NONE;
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

/* "000000000012A3B4.000000004678F1E2.00001C2D": hexadecimal, in three parts. */
static bool is_courier(const struct received *r, struct str value)
{
    struct str rest = r->id;
    struct str a = str_split(&rest, '.'), b = str_split(&rest, '.');
    bool id = (a.len == 8 || a.len == 16) && (b.len == 8 || b.len == 16) && rest.len == 8;
    return (id && all(a, ascii_is_hex) && all(b, ascii_is_hex) && all(rest, ascii_is_hex)) ||
           stands_in(value, STR("(AUTH: ")) || stands_in(value, STR("(TLS: "));
}

static bool is_exim(const struct received *r, struct str value)
{
    (void)value;
    return is_exim_id(r->id);
}

static bool is_sendmail(const struct received *r, struct str value)
{
    (void)r;
    return has_sendmail_version(value);
}

/* Google's relays name themselves by address alone, or under google.com, and write ids such as
 * "z12csp123456edc" and "u21so12345678ejz.1". */
static bool is_gmail(const struct received *r, struct str value)
{
    (void)value;
    struct ip ip;
    bool small = r->id.len >= 8 && r->id.len <= 70;
    for (size_t i = 0; small && i < r->id.len; i++) {
        char c = r->id.ptr[i];
        small = ascii_is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '-';
    }
    bool bare = r->from.len == 0 && ip_parse(r->by, &ip) && str_find(r->id, '.') == STR_NONE &&
                str_eq(r->with, STR("SMTP"));
    return small && (bare || str_ends_nocase(r->by, STR(".google.com")) ||
                     str_ends_nocase(r->by, STR(".gmail.com")));
}

static bool is_yahoo(const struct received *r, struct str value)
{
    (void)value;
    return str_ends_nocase(r->by, STR(".yahoo.com")) || str_ends_nocase(r->by, STR(".yahoo.co.jp"));
}

static bool is_ses(const struct received *r, struct str value)
{
    (void)value;
    return str_ends_nocase(r->by, STR(".amazonaws.com")) ||
           str_ends_nocase(r->by, STR(".amazonses.com"));
}

/* "(LHLO name) (10.1.2.3) by": its Jetty-like LMTP server alone writes the verb. */
static bool is_zimbra(const struct received *r, struct str value)
{
    (void)r;
    return stands_in(value, STR("(LHLO "));
}

static bool is_mimecast(const struct received *r, struct str value)
{
    (void)value;
    return str_find_str(r->id, STR("-mta-")) == 2 || str_ends_nocase(r->by, STR(".mimecast.com"));
}

/* "with ESMTP/TLS/CIPHER"; its date has no day's name, as qmail's, but a zone. */
static bool is_ironport(const struct received *r, struct str value)
{
    (void)r;
    return stands_in(value, STR("with ESMTP/TLS/")) || stands_in(value, STR("with SMTP/TLS/"));
}

static bool is_messagelabs(const struct received *r, struct str value)
{
    (void)value;
    return str_ends_nocase(r->by, STR(".messagelabs.com"));
}

static bool is_exchange(const struct received *r, struct str value)
{
    (void)value;
    return str_eq(r->with, STR("MAPI"));
}

static bool is_sendgrid(const struct received *r, struct str value)
{
    (void)value;
    return str_ends_nocase(r->by, STR(".sendgrid.net")) || str_starts(r->id, STR("filterdrecv-"));
}

/* "(HELO name) (192.0.2.1)"; or a day and a zone of "-0000" that it alone writes, without an id. */
static bool is_qmail(const struct received *r, struct str value)
{
    bool zone = str_ends(str_trim(value), STR(" -0000")) && !r->date.weekday_said;
    return r->id.len == 0 &&
           (stands_in(value, STR("(HELO ")) || (zone && r->by.len > 0 && r->from.len > 0));
}

/* Forms that are known though the software does not name itself; the first that fits counts. */
static const struct {
    bool (*fits)(const struct received *r, struct str value);
    struct str name;
    int certainty;
} forms[] = {
    {is_gmail, STR_INIT("Gmail"), 85},       {is_yahoo, STR_INIT("Yahoo"), 80},
    {is_ses, STR_INIT("Amazon SES"), 85},    {is_messagelabs, STR_INIT("MessageLabs"), 85},
    {is_mimecast, STR_INIT("Mimecast"), 85}, {is_sendgrid, STR_INIT("SendGrid"), 80},
    {is_sendmail, STR_INIT("Sendmail"), 90}, {is_exim, STR_INIT("Exim"), 80},
    {is_courier, STR_INIT("Courier"), 80},   {is_zimbra, STR_INIT("Zimbra"), 85},
    {is_ironport, STR_INIT("IronPort"), 85}, {is_exchange, STR_INIT("Exchange"), 85},
    {is_qmail, STR_INIT("qmail"), 70},
};

struct software_guess software_of(const struct received *r, struct str value)
{
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        if (stands_in(value, signs[i].word)) {
            return (struct software_guess){signs[i].name, signs[i].certainty};
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (forms[i].fits(r, value)) {
            return (struct software_guess){forms[i].name, forms[i].certainty};
        }
    }
    return (struct software_guess){STR(""), 0};
}
