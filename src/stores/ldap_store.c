/* ldap_store.c: a directory, as a store: it judges passwords itself, by binds (RFC 4511
 * section 4.2). The user's entry is searched for, or its name made from a template. A connection
 * for each question: after a bind it would be the user's. */
#include "stores/ldap_limits.h"
#include "stores/ldap_text.h"
#include "stores/store.h"
#include "world/whole_file.h"
#include "world/wipe.h"

#include <errno.h>
#include <ldap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

static int open_directory(struct store *store, struct buf *reason)
{
    struct str file = store->config->password_file;
    struct buf *password = calloc(1, sizeof *password);
    store->own = password;
    if (!password) {
        return -ENOMEM;
    }
    int error = file.len > 0 ? store_secret(file.ptr, password, reason) : 0;
    buf_add_char(password, '\0');
    return error;
}

static void close_directory(struct store *store)
{
    struct buf *password = store->own;
    if (password) {
        wipe_buf(password);
        free(password);
    }
}

static struct timeval left(const struct store_question *question)
{
    int ms = store_left_ms(question);
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000L};
}

static enum store_answer down(const struct store_question *question, LDAP *ld, int result)
{
    char *more = NULL;
    if (question->reason->len > 0) {
        return STORE_DOWN;
    }
    if (ld) {
        ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
    }
    (void)store_down(question, "%s%s%s", ldap_err2string(result), more && *more ? ": " : "",
                     more ? more : "");
    ldap_memfree(more);
    return STORE_DOWN;
}

static bool set_options(LDAP *ld, const struct config_store *config,
                        const struct store_question *question)
{
    const int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_HARD, server_side = 0;
    struct timeval time = left(question);
    bool good = ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_SUCCESS &&
                ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_SUCCESS &&
                ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &time) == LDAP_SUCCESS &&
                ldap_set_option(ld, LDAP_OPT_TIMEOUT, &time) == LDAP_SUCCESS &&
                ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) == LDAP_SUCCESS;
    if (good && config->authorities.len > 0) {
        good =
            whole_file_check(config->authorities.ptr) == 0 &&
            ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, config->authorities.ptr) == LDAP_SUCCESS;
    }
    return good && ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &server_side) == LDAP_SUCCESS;
}

/* Connected, and private where that is wanted; null with the reason. */
static LDAP *connected(const struct store *store, const struct store_question *question,
                       struct ldap_limits *limits)
{
    LDAP *ld = NULL;
    int result = ldap_initialize(&ld, store->config->place.ptr);
    if (result == LDAP_SUCCESS &&
        (!set_options(ld, store->config, question) || !ldap_limits_set(ld, limits, question))) {
        result = LDAP_LOCAL_ERROR;
    }
    if (result == LDAP_SUCCESS && store->config->tls == STORE_TLS_START) {
        result = ldap_start_tls_s(ld, NULL, NULL);
    }
    if (result != LDAP_SUCCESS) {
        (void)down(question, ld, result);
        if (ld) {
            ldap_unbind_ext_s(ld, NULL, NULL);
        }
        return NULL;
    }
    return ld;
}

/* LDAP's result. A bind without password would succeed for anybody (RFC 4513 section 5.1.2): only
 * the search may be anonymous. */
static int bind_as(LDAP *ld, const struct store_question *question, const char *dn,
                   const char *password)
{
    struct berval secret = {.bv_len = strlen(password), .bv_val = (char *)(uintptr_t)password};
    struct timeval time = left(question);
    LDAPMessage *answer = NULL;
    int id, result = LDAP_TIMEOUT;
    int failed = ldap_sasl_bind(ld, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, &id);
    if (failed != LDAP_SUCCESS) {
        return failed;
    }
    int got = ldap_result(ld, id, LDAP_MSG_ALL, &time, &answer);
    if (got < 0) {
        ldap_get_option(ld, LDAP_OPT_RESULT_CODE, &result);
        result = result == LDAP_SUCCESS ? LDAP_SERVER_DOWN : result;
    } else if (got > 0 &&
               ldap_parse_result(ld, answer, &result, NULL, NULL, NULL, NULL, 1) != LDAP_SUCCESS) {
        result = LDAP_DECODING_ERROR;
    }
    return result;
}

/* The one entry that fits, in `dn`, ended by NUL. Two are none: whose password would count? */
static enum store_answer search(LDAP *ld, const struct store *store,
                                const struct store_question *question, struct buf *dn)
{
    char nothing[] = LDAP_NO_ATTRS, *attributes[] = {nothing, NULL};
    struct timeval time = left(question);
    struct buf filter = {0};
    LDAPMessage *found = NULL;
    enum store_answer answer = STORE_UNKNOWN;
    ldap_filter(&filter, store->config->filter, question->name);
    buf_add_char(&filter, '\0');
    int result = filter.failed
                     ? LDAP_NO_MEMORY
                     : ldap_search_ext_s(ld, store->config->base.ptr, LDAP_SCOPE_SUBTREE,
                                         filter.ptr, attributes, 1, NULL, NULL, &time, 2, &found);
    if (result == LDAP_SUCCESS && ldap_count_entries(ld, found) == 1) {
        char *name = ldap_get_dn(ld, ldap_first_entry(ld, found));
        buf_add(dn, str_from_cstr(name));
        buf_add_char(dn, '\0');
        ldap_memfree(name);
        answer = dn->failed ? STORE_DOWN : STORE_FOUND;
    } else if (result != LDAP_SUCCESS && result != LDAP_NO_SUCH_OBJECT &&
               result != LDAP_SIZELIMIT_EXCEEDED) {
        answer = down(question, ld, result);
    }
    ldap_msgfree(found);
    buf_done(&filter);
    return answer;
}

static enum store_answer bind_for_search(LDAP *ld, const struct store *store,
                                         const struct store_question *question)
{
    const struct buf *password = store->own;
    int result = LDAP_SUCCESS;
    if (store->config->bind_dn.len > 0) {
        if (!password || password->failed || password->len < 2) {
            return store_down(question, "no password for %s", store->config->bind_dn.ptr);
        }
        result = bind_as(ld, question, store->config->bind_dn.ptr, password->ptr);
    }
    return result == LDAP_SUCCESS ? STORE_FOUND : down(question, ld, result);
}

/* The user's distinguished name, and a connection to bind by. */
static enum store_answer find(LDAP *ld, const struct store *store,
                              const struct store_question *question, struct buf *dn)
{
    if (store->config->dn.len > 0) {
        ldap_dn(dn, store->config->dn, question->name);
        buf_add_char(dn, '\0');
        return dn->failed ? STORE_DOWN : STORE_FOUND;
    }
    enum store_answer answer = bind_for_search(ld, store, question);
    return answer == STORE_FOUND ? search(ld, store, question, dn) : answer;
}

static enum store_answer judge(LDAP *ld, const struct store *store,
                               const struct store_question *question, const char *dn)
{
    int result = bind_as(ld, question, dn, question->password);
    bool templated = store->config->dn.len > 0;
    switch (result) {
    case LDAP_SUCCESS:
        return STORE_RIGHT;
    case LDAP_INVALID_CREDENTIALS: /* also for a name that is not there, where there is no search */
        return templated ? STORE_UNKNOWN : STORE_WRONG;
    case LDAP_NO_SUCH_OBJECT:
    case LDAP_INVALID_DN_SYNTAX:
        return STORE_UNKNOWN;
    case LDAP_INAPPROPRIATE_AUTH: /* it has no password */
    case LDAP_UNWILLING_TO_PERFORM:
    case LDAP_CONSTRAINT_VIOLATION: /* locked */
        return STORE_WRONG;
    default:
        return down(question, ld, result);
    }
}

static enum store_answer check(struct store *store, const struct store_question *question)
{
    struct buf dn = {0};
    struct ldap_limits limits;
    LDAP *ld = connected(store, question, &limits);
    enum store_answer answer = ld ? find(ld, store, question, &dn) : STORE_DOWN;
    if (answer == STORE_FOUND) {
        answer = judge(ld, store, question, dn.ptr);
    }
    if (ld) {
        ldap_unbind_ext_s(ld, NULL, NULL);
    }
    buf_done(&dn);
    return answer;
}

/* As far as is possible without a user's password. */
static enum store_answer reach(struct store *store, const struct store_question *question)
{
    struct ldap_limits limits;
    LDAP *ld = connected(store, question, &limits);
    enum store_answer answer = STORE_DOWN;
    if (ld && store->config->dn.len > 0) {
        int result = bind_as(ld, question, "", "");
        bool heard = result == LDAP_SUCCESS || result == LDAP_INAPPROPRIATE_AUTH ||
                     result == LDAP_UNWILLING_TO_PERFORM || result == LDAP_INVALID_CREDENTIALS;
        answer = heard ? STORE_FOUND : down(question, ld, result);
    } else if (ld) {
        struct buf dn = {0};
        answer = find(ld, store, question, &dn);
        buf_done(&dn);
    }
    if (ld) {
        ldap_unbind_ext_s(ld, NULL, NULL);
    }
    return answer == STORE_DOWN ? STORE_DOWN : STORE_FOUND;
}

const struct store_kind ldap_store = {.word = "ldap",
                                      .open = open_directory,
                                      .check = check,
                                      .reach = reach,
                                      .close = close_directory};
