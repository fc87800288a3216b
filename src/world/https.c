#include "world/https.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/list.h"
#include "world/https_rules.h"
#include "world/whole_file.h"

enum { WAIT_MS = 60000, URL_MAX = 2048 };

struct https_service {
    CURLM *multi;
    struct buf authorities; /* read once: the file may be out of reach later */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    struct list fresh;     /* asked, not yet begun */
    bool stop;
    struct list running; /* the thread's own */
};

struct loop_https {
    struct https port;
    struct https_service *service;
    struct inbox *inbox;
    struct list all; /* exchanges that have not come back */
};

/* Goes to the service's thread and comes back by the loop's inbox. */
struct exchange {
    struct parcel parcel;
    struct list node; /* in the service's lists */
    struct list mine; /* in the loop's */
    struct loop_https *from;
    struct https_request *request; /* null: nobody waits any more. The loop's alone */
    CURL *easy;
    struct curl_slist *addresses, *headers;
    char *body;
    size_t limit;
    struct buf answer;
    bool too_long;
    enum https_result result;
    int status;
    char reason[CURL_ERROR_SIZE];
};

static void free_exchange(struct exchange *x)
{
    curl_easy_cleanup(x->easy);
    curl_slist_free_all(x->addresses);
    curl_slist_free_all(x->headers);
    buf_done(&x->answer);
    free(x->body);
    free(x);
}

static size_t on_bytes(char *bytes, size_t one, size_t count, void *data)
{
    struct exchange *x = data;
    if (x->answer.len + one * count > x->limit) {
        x->too_long = true;
        return 0;
    }
    buf_add(&x->answer, str_from(bytes, one * count));
    return x->answer.failed ? 0 : one * count;
}

static void finish(struct https_service *service, struct exchange *x, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    x->status = (int)status;
    x->result = https_result_of(code, x->too_long);
    if (x->reason[0] == '\0') {
        (void)snprintf(x->reason, sizeof x->reason, "%s",
                       x->too_long ? "the answer is too long" : curl_easy_strerror(code));
    }
    curl_multi_remove_handle(service->multi, x->easy);
    list_remove(&x->node);
    x->from->inbox->post(x->from->inbox, &x->parcel);
}

static void begin_fresh(struct https_service *service)
{
    pthread_mutex_lock(&service->mutex);
    for (struct list *node; (node = list_pop(&service->fresh));) {
        struct exchange *x = CONTAINER_OF(node, struct exchange, node);
        list_append(&service->running, node);
        if (curl_multi_add_handle(service->multi, x->easy) != CURLM_OK) {
            finish(service, x, CURLE_OUT_OF_MEMORY);
        }
    }
    pthread_mutex_unlock(&service->mutex);
}

static bool stopped(struct https_service *service)
{
    pthread_mutex_lock(&service->mutex);
    bool stop = service->stop;
    pthread_mutex_unlock(&service->mutex);
    return stop;
}

static void *carry(void *argument)
{
    struct https_service *service = argument;
    while (!stopped(service)) {
        int running = 0, left = 0;
        begin_fresh(service);
        curl_multi_perform(service->multi, &running);
        for (CURLMsg *m; (m = curl_multi_info_read(service->multi, &left));) {
            struct exchange *x = NULL;
            if (m->msg == CURLMSG_DONE &&
                curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x) == CURLE_OK) {
                finish(service, x, m->data.result);
            }
        }
        curl_multi_poll(service->multi, NULL, 0, WAIT_MS, NULL);
    }
    return NULL;
}

static void opened(struct parcel *parcel)
{
    struct exchange *x = CONTAINER_OF(parcel, struct exchange, parcel);
    struct https_request *request = x->request;
    list_remove(&x->mine);
    if (request) {
        request->impl = NULL;
        request->result = x->result;
        request->status = x->status;
        request->answer = x->answer;
        x->answer = (struct buf){0};
        request->reason = (struct buf){0};
        buf_add(&request->reason, str_from_cstr(x->reason));
        request->done(request);
    }
    free_exchange(x);
}

/* Names are looked up by who asks: libcurl is told the addresses. */
static bool set_addresses(struct exchange *x, const struct https_request *request)
{
    struct buf text = {0};
    buf_add_format(&text, "%.*s:%u:", STR_ARG(request->host), (unsigned)request->port);
    for (size_t i = 0; i < request->ip_count; i++) {
        bool six = request->ips[i].family == IP_V6;
        buf_add(&text, i > 0 ? STR(",") : STR(""));
        buf_add(&text, six ? STR("[") : STR(""));
        ip_format(&text, request->ips[i]);
        buf_add(&text, six ? STR("]") : STR(""));
    }
    buf_add_char(&text, '\0');
    x->addresses = text.failed ? NULL : curl_slist_append(NULL, text.ptr);
    buf_done(&text);
    return x->addresses && curl_easy_setopt(x->easy, CURLOPT_RESOLVE, x->addresses) == CURLE_OK;
}

static bool set_body(struct exchange *x, const struct https_request *request)
{
    if (request->body.len == 0) {
        return true;
    }
    struct buf header = {0};
    buf_add_format(&header, "Content-Type: %.*s", STR_ARG(request->content_type));
    buf_add_char(&header, '\0');
    x->headers = header.failed ? NULL : curl_slist_append(NULL, header.ptr);
    buf_done(&header);
    x->body = malloc(request->body.len);
    if (!x->headers || !x->body) {
        return false;
    }
    memcpy(x->body, request->body.ptr, request->body.len);
    return curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers) == CURLE_OK &&
           curl_easy_setopt(x->easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE, (long)request->body.len) == CURLE_OK &&
           curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, x->body) == CURLE_OK;
}

static bool set_up(struct exchange *x, const struct https_request *request)
{
    char url[URL_MAX];
    CURL *e = x->easy;
    int len = snprintf(url, sizeof url, "https://%.*s:%u%.*s", STR_ARG(request->host),
                       (unsigned)request->port, STR_ARG(request->path));
    return len > 0 && (size_t)len < sizeof url && set_addresses(x, request) &&
           set_body(x, request) && curl_easy_setopt(e, CURLOPT_URL, url) == CURLE_OK &&
           https_set_rules(e, request->time, x->reason) &&
           https_set_authorities(e, buf_str(&x->from->service->authorities)) &&
           curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_bytes) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEDATA, x) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PRIVATE, x) == CURLE_OK;
}

static bool op_ask(struct https *https, struct https_request *request)
{
    struct loop_https *l = CONTAINER_OF(https, struct loop_https, port);
    struct https_service *service = l->service;
    struct exchange *x = calloc(1, sizeof *x);
    if (!x) {
        return false;
    }
    x->from = l;
    x->request = request;
    x->limit = request->limit;
    x->parcel.open = opened;
    x->result = HTTPS_FAILED;
    request->impl = x;
    list_append(&l->all, &x->mine);
    x->easy = curl_easy_init();
    if (!x->easy || !set_up(x, request)) {
        (void)snprintf(x->reason, sizeof x->reason, "this request cannot be made");
        l->inbox->post(l->inbox, &x->parcel);
        return true;
    }
    pthread_mutex_lock(&service->mutex);
    list_append(&service->fresh, &x->node);
    pthread_mutex_unlock(&service->mutex);
    curl_multi_wakeup(service->multi);
    return true;
}

/* The exchange goes on to its end; nobody waits for it. */
static void op_cancel(struct https *https, struct https_request *request)
{
    struct exchange *x = request->impl;
    (void)https;
    request->impl = NULL;
    if (x) {
        x->request = NULL;
    }
}

struct https *https_of_loop(struct https_service *service, struct inbox *inbox)
{
    struct loop_https *l = calloc(1, sizeof *l);
    if (!l) {
        return NULL;
    }
    l->port = (struct https){.ask = op_ask, .cancel = op_cancel};
    l->service = service;
    l->inbox = inbox;
    list_init(&l->all);
    return &l->port;
}

void https_free(struct https *https)
{
    if (!https) {
        return;
    }
    struct loop_https *l = CONTAINER_OF(https, struct loop_https, port);
    LIST_EACH (node, &l->all) { /* ended with the service, or in an inbox that nobody opens */
        free_exchange(CONTAINER_OF(node, struct exchange, mine));
    }
    free(l);
}

struct https_service *https_service_new(const char *authorities)
{
    struct https_service *service = calloc(1, sizeof *service);
    if (!service) {
        return NULL;
    }
    list_init(&service->fresh);
    list_init(&service->running);
    pthread_mutex_init(&service->mutex, NULL);
    bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    service->multi = ready ? curl_multi_init() : NULL;
    struct file_stamp stamp;
    bool known =
        !authorities || (whole_file_read(authorities, &service->authorities, &stamp) == 0 &&
                         service->authorities.len > 0);
    if (!service->multi || !known || pthread_create(&service->thread, NULL, carry, service) != 0) {
        curl_multi_cleanup(service->multi);
        buf_done(&service->authorities);
        pthread_mutex_destroy(&service->mutex);
        free(service);
        return NULL;
    }
    return service;
}

void https_service_free(struct https_service *service)
{
    if (!service) {
        return;
    }
    pthread_mutex_lock(&service->mutex);
    service->stop = true;
    pthread_mutex_unlock(&service->mutex);
    curl_multi_wakeup(service->multi);
    pthread_join(service->thread, NULL);
    LIST_EACH (node, &service->running) {
        struct exchange *x = CONTAINER_OF(node, struct exchange, node);
        curl_multi_remove_handle(service->multi, x->easy);
    }
    curl_multi_cleanup(service->multi);
    curl_global_cleanup();
    buf_done(&service->authorities);
    pthread_mutex_destroy(&service->mutex);
    free(service);
}
