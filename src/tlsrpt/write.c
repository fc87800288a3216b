#include "tlsrpt/write.h"

#include <stdlib.h>

#include "core/mail/date.h"
#include "core/mail/transfer_encoding.h"
#include "tlsrpt/inflate.h"

static json_t *text(struct str s)
{
    return json_stringn(s.len ? s.ptr : "", s.len);
}

static json_t *time_text(struct instant when)
{
    struct civil_time t = civil_from_instant(when);
    return json_sprintf("%04lld-%02u-%02uT%02u:%02u:%02uZ", (long long)t.year, t.month, t.day,
                        t.hour, t.minute, t.second);
}

/* The parts of a member that is text as a list; nothing where it is empty. */
static void set_list(json_t *to, const char *name, const json_t *member, char separator)
{
    struct str parts = str_from(json_string_value(member), json_string_length(member));
    json_t *list = parts.len > 0 ? json_array() : NULL;
    while (parts.len > 0) {
        json_array_append_new(list, text(str_split(&parts, separator)));
    }
    json_object_set_new(to, name, list);
}

static json_t *write_details(const json_t *details)
{
    json_t *list = json_array(), *detail;
    size_t i;
    json_array_foreach(details, i, detail)
    {
        json_t *made = json_object();
        json_object_set(made, "result-type", json_object_get(detail, "result"));
        json_object_set(made, "receiving-mx-hostname", json_object_get(detail, "host"));
        if (json_string_length(json_object_get(detail, "ip")) > 0) { /* there was a connection */
            json_object_set(made, "sending-mta-ip", json_object_get(detail, "source"));
            json_object_set(made, "receiving-ip", json_object_get(detail, "ip"));
        }
        json_object_set(made, "failed-session-count", json_object_get(detail, "count"));
        json_array_append_new(list, made);
    }
    return list;
}

static json_t *write_policy(const json_t *counted)
{
    json_t *made = json_object(), *policy = json_object(), *summary = json_object();
    json_object_set(policy, "policy-type", json_object_get(counted, "type"));
    json_object_set(policy, "policy-domain", json_object_get(counted, "domain"));
    set_list(policy, "policy-string", json_object_get(counted, "policy"), '\n');
    set_list(policy, "mx-host", json_object_get(counted, "mx"), ' ');
    json_object_set(summary, "total-successful-session-count",
                    json_object_get(counted, "successes"));
    json_object_set(summary, "total-failure-session-count", json_object_get(counted, "failures"));
    json_object_set_new(made, "policy", policy);
    json_object_set_new(made, "summary", summary);
    json_object_set_new(made, "failure-details",
                        write_details(json_object_get(counted, "details")));
    return made;
}

bool tlsrpt_write(const json_t *taken, const struct tlsrpt_frame *frame, struct buf *out)
{
    json_t *report = json_object(), *range = json_object(), *policies = json_array(), *policy;
    size_t i;
    json_object_set_new(report, "organization-name", text(frame->hostname));
    json_object_set_new(range, "start-datetime", time_text(frame->begin));
    json_object_set_new(range, "end-datetime", time_text(frame->end));
    json_object_set_new(report, "date-range", range);
    json_object_set_new(report, "contact-info", text(frame->from));
    json_object_set_new(report, "report-id", text(frame->id));
    json_array_foreach(json_object_get(taken, "policies"), i, policy)
    {
        json_array_append_new(policies, write_policy(policy));
    }
    json_object_set_new(report, "policies", policies);
    char *dump = json_dumps(report, JSON_COMPACT);
    bool good = dump && gzip_deflate(str_from_cstr(dump), out);
    free(dump);
    json_decref(report);
    return good && !out->failed;
}

void tlsrpt_write_mail(struct buf *out, const json_t *taken, const struct tlsrpt_frame *frame,
                       struct str to, struct str compressed)
{
    const char *domain = json_string_value(json_object_get(taken, "domain"));
    struct str id = frame->id;
    struct str host = frame->hostname;
    buf_add_format(out, "From: <%.*s>\r\nTo: <%.*s>\r\nDate: ", STR_ARG(frame->from), STR_ARG(to));
    date_format(out, frame->end);
    buf_add_format(out,
                   "\r\nMessage-ID: <%.*s@%.*s>\r\n"
                   "Subject: Report Domain: %s\r\n Submitter: %.*s\r\n Report-ID: <%.*s>\r\n"
                   "TLS-Report-Domain: %s\r\nTLS-Report-Submitter: %.*s\r\n"
                   "TLS-Required: No\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                   "Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n"
                   "\tboundary=\"=_%.*s\"\r\n\r\n"
                   "--=_%.*s\r\nContent-Type: text/plain\r\n\r\n"
                   "This is a report about TLS towards the mail hosts of %s, by %.*s.\r\n\r\n"
                   "--=_%.*s\r\nContent-Type: application/tlsrpt+gzip\r\n"
                   "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n"
                   "\tfilename=\"%.*s!%s!%lld!%lld.json.gz\"\r\n\r\n",
                   STR_ARG(id), STR_ARG(host), domain, STR_ARG(host), STR_ARG(id), domain,
                   STR_ARG(host), STR_ARG(id), STR_ARG(id), domain, STR_ARG(host), STR_ARG(id),
                   STR_ARG(host), domain, (long long)instant_seconds(frame->begin),
                   (long long)instant_seconds(frame->end));
    base64_lines_encode(out, compressed);
    buf_add_format(out, "\r\n--=_%.*s--\r\n", STR_ARG(id));
}
