#include "world/https_rules.h"

bool https_set_rules(CURL *e, struct span time, char *reason)
{
    return curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(time.us / 1000)) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_USERAGENT, "Postrider/" POSTRIDER_VERSION) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_ERRORBUFFER, reason) == CURLE_OK;
}

bool https_set_authorities(CURL *e, struct str pem)
{
    struct curl_blob authorities = {
        .data = (char *)(uintptr_t)pem.ptr, .len = pem.len, .flags = CURL_BLOB_NOCOPY};
    return pem.len == 0 || curl_easy_setopt(e, CURLOPT_CAINFO_BLOB, &authorities) == CURLE_OK;
}

enum https_result https_result_of(CURLcode code, bool too_long)
{
    switch ((int)code) {
    case CURLE_OK:
        return HTTPS_ANSWERED;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return HTTPS_CERTIFICATE;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTPS_TIMEOUT;
    default:
        return too_long ? HTTPS_TOO_LONG : HTTPS_FAILED;
    }
}
