#include "world/https_once.h"

#include "world/https_rules.h"

#include <stdio.h>

static size_t on_bytes(char *bytes, size_t one, size_t count, void *data)
{
    struct https_once *q = data;
    if (q->answer->len + one * count > q->limit) {
        return 0;
    }
    buf_add(q->answer, str_from(bytes, one * count));
    return q->answer->failed ? 0 : one * count;
}

static struct curl_slist *make_headers(const struct https_once *q)
{
    struct buf type = {0};
    buf_add_format(&type, "Content-Type: %s", q->content_type);
    buf_add_char(&type, '\0');
    struct curl_slist *first = type.failed ? NULL : curl_slist_append(NULL, type.ptr);
    struct curl_slist *all = first ? curl_slist_append(first, "Accept: application/json") : NULL;
    buf_done(&type);
    if (!all) {
        curl_slist_free_all(first);
    }
    return all;
}

static bool set_up(CURL *e, struct https_once *q, const struct curl_slist *headers, char *reason)
{
    bool named = !q->user || (curl_easy_setopt(e, CURLOPT_HTTPAUTH, CURLAUTH_BASIC) == CURLE_OK &&
                              curl_easy_setopt(e, CURLOPT_USERNAME, q->user) == CURLE_OK &&
                              curl_easy_setopt(e, CURLOPT_PASSWORD, q->password) == CURLE_OK);
    return named && https_set_rules(e, q->time, reason) &&
           https_set_authorities(e, q->authorities) &&
           curl_easy_setopt(e, CURLOPT_URL, q->url) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)q->body.len) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->body.ptr) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_bytes) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEDATA, q) == CURLE_OK;
}

bool https_once_start(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

enum https_result https_once(struct https_once *q)
{
    char reason[CURL_ERROR_SIZE] = "";
    CURL *e = curl_easy_init();
    struct curl_slist *headers = make_headers(q);
    enum https_result result = HTTPS_FAILED;
    if (!e || !headers || !set_up(e, q, headers, reason)) {
        buf_add(q->reason, STR("this request cannot be made"));
    } else {
        long status = 0;
        CURLcode code = curl_easy_perform(e);
        bool too_long = code == CURLE_WRITE_ERROR && !q->answer->failed;
        curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
        q->status = (int)status;
        result = https_result_of(code, too_long);
        if (result != HTTPS_ANSWERED) {
            buf_add(q->reason, too_long    ? STR("the answer is too long")
                               : reason[0] ? str_from_cstr(reason)
                                           : str_from_cstr(curl_easy_strerror(code)));
        }
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(e);
    return result;
}
