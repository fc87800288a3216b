/* https_rules.h: how every question to a web server is asked, for this folder alone: by TLS with a
 * certificate by a known authority for the host's name; no redirect is followed, no proxy used. */
#pragma once

#include <curl/curl.h>

#include "port/https.h"

/* `reason`: CURL_ERROR_SIZE octets, for as long as the handle is used. False: no memory. */
NODISCARD bool https_set_rules(CURL *handle, struct span time, char *reason);
/* False: no memory. Empty: the system's authorities. The bytes are borrowed. */
NODISCARD bool https_set_authorities(CURL *handle, struct str pem);
enum https_result https_result_of(CURLcode code, bool too_long);
